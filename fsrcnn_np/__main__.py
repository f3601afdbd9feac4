"""`fsrcnn-np`, and `python -m fsrcnn_np`: nothing heavy is imported before signals are heard."""

from piqe_np.start import run


def main() -> None:
    """Run the command and exit with its status."""
    run("fsrcnn-np", "fsrcnn_np.cli")


if __name__ == "__main__":
    main()
