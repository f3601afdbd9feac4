"""`imresize` in machine code: `resized` of `fsrcnn_np.images.imresize`, with the same bits.

- passes.py: `resized`, which cuts an image into strips and hands them to the machine code on threads
- arithmetic.py: in which numbers a dtype's sums are exact, or the reference's
- kernels.py: a pass down the columns, one along the rows, and one along the rows of twice the width
"""

from fsrcnn_np.images.llvm.passes import fits, resized

__all__ = ["fits", "resized"]
