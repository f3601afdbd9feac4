"""The readable fast engine: five layers as one sum, which Numba compiles.

- planes.py: the functions below; a strip: window, layers, result
- kernels.py: all that is compiled
- packing.py: a model as the kernels read it
"""

from .planes import forward, rows_needed, upscale_plane

__all__ = ["forward", "rows_needed", "upscale_plane"]
