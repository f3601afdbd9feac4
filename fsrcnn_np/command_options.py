"""Words of the command line that more than one room's commands take."""

from __future__ import annotations

import argparse


def data_range(text: str) -> float | tuple[float, float]:
    """R or LOW:HIGH, as `fsrcnn_np.upscale` takes it.

    Raises
    ------
    argparse.ArgumentTypeError
        Neither; or no range.
    """
    low, colon, high = text.rpartition(":")
    try:
        values = float(low) if colon else 0.0, float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number R (for 0..R) and no pair LOW:HIGH") from None
    if not (abs(values[0]) < float("inf") and abs(values[1]) < float("inf") and values[0] < values[1]):
        raise argparse.ArgumentTypeError(f"{text!r}: R must be positive and finite, LOW below HIGH")
    return values if colon else values[1]
