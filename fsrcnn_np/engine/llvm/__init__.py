"""Vector kernels as LLVM text, compiled while Python runs: the reference's answer in about a megabyte a thread.

- planes.py: the functions below
- tiles.py: a strip: code, weights and memory brought together
- strips.py: how large a strip is, and the rows that it needs
- schedule.py: one strip, four rows at a time through all layers
- groups.py: which four rows
- kernels.py: the register tile that the layers are made of
- extraction.py: feature extraction and shrinking
- mapping.py: the mapping layers
- toom.py: expanding and deconvolution
- winograd.py: the algebra of extraction and mapping
- results.py: float32 phases → rows of the result's dtype
- packing.py: weights in the order in which the kernels read them
- layout.py: where everything lies
- piqe_np/llvm/assembler.py: LLVM functions written with Python's operators
- target.py: which processor (piqe_np/llvm/target.py: compiling for it)

docs/engine.md has the design drawn, and what each step brought.
"""

from .planes import forward, rows_needed, upscale_plane
from .target import host
from .tiles import prepare

__all__ = ["forward", "host", "prepare", "rows_needed", "upscale_plane"]
