"""`piqe-np`, and `python -m piqe_np`: nothing heavy is imported before signals are heard."""

from piqe_np.start import run


def main() -> None:
    """Run the command and exit with its status."""
    run("piqe-np", "fsrcnn_np.piqe_cli")


if __name__ == "__main__":
    main()
