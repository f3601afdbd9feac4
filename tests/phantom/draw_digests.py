"""Print the sha256 of phantoms, one a line; `--full` adds a whole frame. test_phantom_bits runs it by feature set."""

import hashlib
import sys

from fsrcnn_np.phantom import phantom, truth

SMALL = {
    "CC": {"seed": 0, "shape": (300, 256)},
    "MLO": {
        "seed": 1,
        "shape": (256, 300),
        "view": "MLO",
        "density": "d",
        "morphology": "fine linear",
        "distribution": "segmental",
    },
    "smooth": {
        "seed": 2,
        "shape": (256, 256),
        "preset": "smooth",
        "dose": 0.5,
        "morphology": "amorphous",
        "density": "b",
    },
    "raw": {"seed": 2**64 - 1, "shape": (256, 256), "processed": False, "distribution": "diffused", "density": "a"},
}


def digest(*arrays) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(repr(array.shape).encode() + array.astype(array.dtype.newbyteorder("<")).tobytes())
    return total.hexdigest()


def main() -> None:
    for name, parameters in SMALL.items():
        drawn = phantom(**parameters)
        print(name, digest(drawn.pixels, drawn.labels, drawn.breast_mask))
        print(name, "places", hashlib.sha256(repr(drawn.calcifications).encode()).hexdigest())
    ideal = truth(phantom(**SMALL["CC"]))
    print("truth", digest(ideal.pixels, ideal.line_integrals, ideal.labels))
    if "--full" in sys.argv:
        print("full", digest(phantom().pixels))


if __name__ == "__main__":
    main()
