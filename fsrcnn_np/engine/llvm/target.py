"""Which processor the network's kernels are compiled for; `piqe_np.llvm.target` has those that there are."""

from __future__ import annotations

from piqe_np.llvm import target
from piqe_np.llvm.target import AVX2, AVX512, NAMED, NEON, PLAIN, Code, Target, assembly, loaded

from ...errors import OptionError

__all__ = ["AVX2", "AVX512", "NAMED", "NEON", "PLAIN", "VARIABLE", "Code", "Target", "assembly", "host", "loaded"]

VARIABLE = "FSRCNN_NP_TARGET"


def host() -> Target:
    """The target for this machine's processor, or the lesser one that $FSRCNN_NP_TARGET names.

    Raises
    ------
    OptionError
        No such target, or one that this processor cannot run.
    """
    return target.host(VARIABLE, OptionError)
