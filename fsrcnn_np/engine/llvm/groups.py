"""Where the groups of four rows of each layer start.

Layer 0, which is feature extraction and shrinking, and mapping layers l = 1 … m compute rows a … a + 3 of the image at
once, a ≡ 2 (l // 2 + 1) modulo 4: 2, 2, 0, 0, 2, 2, 0, 0, … With these starts a part of an image that begins and ends
at multiples of 4 has, but for its halo, the bits of the whole: at each end layer 0 loses two rows, and each after it
one, as the direct form does. With any other start they would lose more, because the rows of a group share their
rounding errors.

Expanding and deconvolution go on as layer m + 1. Their groups touch more rows than the group has, and share rounding
errors there; but at a cut a group is whole, or one row of it is right, its first or its last, and what is not lost of
its high-resolution rows is made of that one alone. (Where m ≡ 1 modulo 4 a strip computes four rows more at its ends.)

A step of a strip works on one group of every layer, as late as its input allows:

    step g     layer 0, rows 4g − delay[0] …    features, shrunk; needs two rows of the image above and below
               layer l, rows 4g − delay[l] …    needs rows up to 4g − delay[l] + 4 of layer l − 1
               expanding, deconvolution, l = m + 1    needs these rows of layer m; under a replicate border row −1 is
                                            row 0
"""

from __future__ import annotations

GROUP = 4  #: rows that a layer computes at once


def start(layer: int) -> int:
    """Row, modulo 4, at which groups of a layer start; layer m + 1 is the deconvolution."""
    return 2 * (layer // 2 + 1) % GROUP


def delays(m: int) -> list[int]:
    """For layers 0 … m: how far behind row 4g a layer's group starts in step g."""
    found = [-start(0) % GROUP]
    for layer in range(1, m + 1):
        latest = found[-1] + 1  # rows a − 1 … a + 4 are read, and the layer before has rows up to its own start + 3
        found.append(latest + (-latest - start(layer)) % GROUP)
    return found
