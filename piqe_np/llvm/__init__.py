"""PIQE's kernels as LLVM text, compiled while Python runs: `measure` of the reference, with the same bits.

- measuring.py: `measure`, which hands rows of blocks to the machine code
- kernels.py: steps 4 to 7 on a tile, and the tiles of some rows of blocks
- levels.py: steps 2 and 3, a row's pixels to grey levels, for each class
- scratch.py: where a tile's numbers lie
- assembler.py, target.py: LLVM functions written with Python's operators, and compiling them; FSRCNN's, too
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from piqe_np.on_demand import names_of

if TYPE_CHECKING:
    from piqe_np.llvm.measuring import measure

__all__ = ["measure"]

__getattr__ = names_of(__name__, {"measuring": "measure"})  # FSRCNN's kernels need none of PIQE's
