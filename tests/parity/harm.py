"""The least change to an array that is a change at all."""

import numpy as np


def nudged(array, place=-1):
    """A copy with one element changed: a decision turned, one ulp, one count."""
    wrong = np.array(array, order="C")
    flat = wrong.reshape(-1)
    if wrong.dtype == bool:
        flat[place] = ~flat[place]
    elif wrong.dtype.kind == "f":
        flat[place] = 1.0 if np.isnan(flat[place]) else np.nextafter(flat[place], wrong.dtype.type(np.inf))
    else:
        flat[place] ^= 1
    return wrong
