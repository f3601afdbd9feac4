"""`imresize`, and colour around the network, in machine code: with the bits of `fsrcnn_np.images.imresize` and `.rgb`.

- passes.py: `resized`, which cuts an image into strips and hands them to the machine code on threads
- down.py, across.py: what a pass down the columns, or along the rows, needs beside its machine code
- arithmetic.py: in which numbers a dtype's sums are exact, or the reference's
- kernels.py: a pass down the columns, one along the rows, and one along the rows of twice the width
- colour.py: `split` and `joined` of `fsrcnn_np.images.rgb`, on the same strips
- colour_kernels.py: rows of RGB to luma and chroma, and back
"""

from fsrcnn_np.images.llvm.passes import fits, resized

__all__ = ["fits", "resized"]
