"""Which processor the kernels are compiled for, and compiling them.

    AVX-512        16 lanes, 32 registers
    AVX2 + FMA      8 lanes, 16 registers
    aarch64         4 lanes, 32 registers
    anything else   4 lanes, 16 registers, no FMA: products are rounded before they are added, so other bits

The bits of a result depend on `fma` only: lanes are independent pixels, and the order of operations of a pixel is the
same for every width.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import llvmlite.binding as llvm

from piqe_np import object_cache
from piqe_np.errors import OptionError
from piqe_np.llvm.assembler import Module
from piqe_np.unbroken import once

OPTIMISATION = 3  #: of LLVM's code generator; no other pass runs


@dataclass(frozen=True)
class Target:
    """A processor as the kernels see it.

    Attributes
    ----------
    lanes, registers : int
        float32 numbers of a vector register, and how many such registers there are.
    fma : bool
        Fused multiply-add in hardware.
    triple, cpu, features : str
        What LLVM calls it; an empty triple is this machine.
    """

    lanes: int
    registers: int
    fma: bool
    triple: str = ""
    cpu: str = ""
    features: str = ""

    def module(self) -> Module:
        """An empty module of LLVM text with this processor's attributes."""
        # LLVM prefers 256-bit vectors on some AVX-512 processors; the kernels are written for 512.
        width = 32 * self.lanes
        return Module(
            fma=self.fma,
            attributes=f'nounwind "prefer-vector-width"="{width}" "min-legal-vector-width"="{width}"',
        )

    def machine(self) -> Any:
        """LLVM's code generator for this target."""
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        if self.triple:
            llvm.initialize_all_targets()
            llvm.initialize_all_asmprinters()
        found = llvm.Target.from_triple(self.triple or llvm.get_process_triple())
        jit = not self.triple
        return found.create_target_machine(cpu=self.cpu, features=self.features, opt=OPTIMISATION, jit=jit)


AVX512 = Target(16, 32, True, features="+avx512f,+avx512vl,+avx2,+fma")
AVX2 = Target(8, 16, True, features="+avx2,+fma,-avx512f")
NEON = Target(4, 32, True)
PLAIN = Target(4, 16, False)


#: Names that an engine's environment variable may have.
NAMED = {"avx512": AVX512, "avx2": AVX2, "neon": NEON, "plain": PLAIN}


def host(variable: str, error: type[Exception] = OptionError) -> Target:
    """The target for this machine's processor, or the lesser one that the environment's `variable` names.

    Raises
    ------
    OptionError
        Or what `error` says: no such target, or one that this processor cannot run.
    """
    name = os.environ.get(variable, "").strip().lower()
    arm = platform.machine().lower() in ("aarch64", "arm64")
    best = _best()
    runnable = {"neon", "plain"} if arm else {n for n in ("avx512", "avx2", "plain") if NAMED[n].lanes <= best.lanes}
    if not name:
        return best
    if name not in runnable:
        allowed = ", ".join(n for n in NAMED if n in runnable)
        raise error(f"{variable}={name!r} is no target that this processor can run; allowed are {allowed}, or none")
    if NAMED[name].lanes == best.lanes and NAMED[name].fma == best.fma:
        return best
    return replace(AVX2, cpu="x86-64-v3") if name == "avx2" else NAMED[name]


@once(most=1)
def _best() -> Target:
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM knows nothing about it
        features = llvm.FeatureMap()
    has = {feature for feature, present in features.items() if present}
    if platform.machine().lower() in ("aarch64", "arm64"):
        base = NEON
    else:
        base = AVX512 if {"avx512f", "avx512vl", "fma"} <= has else AVX2 if {"avx2", "fma"} <= has else PLAIN
    # All features one by one: a hypervisor can hide some that the processor's name promises.
    wanted = ",".join(filter(None, (features.flatten(), base.features)))
    return replace(base, cpu=llvm.get_host_cpu_name(), features=wanted)


def parsed(module: Module) -> Any:
    """The module as LLVM reads it, checked."""
    found = llvm.parse_assembly(str(module))
    found.verify()
    return found


def loaded(module: Module, target: Target) -> Any:
    """Machine code in memory; keep the result as long as an address of it is used."""
    machine = target.machine()
    release = ".".join(map(str, llvm.llvm_version_info))
    key = f"LLVM {release}, {machine.triple}, {target.cpu}, {target.features}, -O{OPTIMISATION}\n{module}"
    code = object_cache.kept(key, lambda: machine.emit_object(parsed(module)))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


class Code:
    """The last function of a module, compiled: its address, and how it is called from Python without the GIL."""

    def __init__(self, module: Module, target: Target):
        self._owner = loaded(module, target)  # of the machine code, which lives as long
        last = module.functions[-1]
        self.address = self._owner.get_function_address(last.title)
        self.run: Callable[..., None] = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * len(last.parameters))(self.address)


def assembly(module: Module, target: Target) -> str:
    """The machine code as text, for any target."""
    return target.machine().emit_assembly(parsed(module))
