"""How FSRCNN runs fast: the reference's answer, streamed through vector kernels in two megabytes a thread.

- planes.py: the three functions below, what they take, what they refuse
- tiles.py: strips on threads
- strips.py: an image cut into strips, and the rows that a strip needs
- windows.py: a strip's part of the image, in the network's range, with its border
- schedule.py: one strip, four rows at a time through all layers
- groups.py: which four rows
- kernels.py: the register tile, and extraction, shrinking, expanding, deconvolution made of it
- winograd.py: the mapping layers
- results.py: float32 phases → rows of the result's dtype
- packing.py: weights in the order in which the kernels read them
- layout.py: where everything lies
- assembler.py: LLVM functions written with Python's operators
- target.py: which processor, and compiling for it

docs/engine.md has the design drawn, and what each step brought.
"""

from .planes import forward, upscale_plane, upscale_stream

__all__ = ["forward", "upscale_plane", "upscale_stream"]
