"""Compiling for processors that this machine need not have, and what the machine code looks like."""

import re

import numpy as np
import pytest

from fsrcnn_np.engine.llvm import results, schedule, target
from fsrcnn_np.engine.llvm.layout import Layout
from fsrcnn_np.network.weights import Architecture
from piqe_np.llvm.assembler import Rows

X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
TARGETS = {
    "AVX-512": (target.AVX512, X86, "skylake-avx512", r"vfmadd\w+ps\s.*%zmm"),
    "AVX2": (target.AVX2, X86, "haswell", r"vfmadd\w+ps\s.*%ymm"),
    "no FMA": (target.PLAIN, X86, "x86-64", r"mulps\s.*%xmm"),
    "aarch64": (target.NEON, ARM, "generic", r"fmla\s.*\.4s"),
    "Apple": (target.NEON, "arm64-apple-macosx11.0", "apple-m1", r"fmla"),
    "Windows": (target.AVX2, "x86_64-pc-windows-msvc", "haswell", r"vfmadd\w+ps\s.*%ymm"),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_cross_compiling(name, scale):
    kind, triple, cpu, expected = TARGETS[name]
    processor = target.Target(kind.lanes, kind.registers, kind.fma, triple, cpu, kind.features)
    layout = Layout(Architecture(56, 12, 4, scale), "replicate", 4, processor)
    modules = [schedule.module(layout), *(results.module(layout, np.dtype(dtype)) for dtype in results.KINDS)]
    for number, module in enumerate(modules):
        text = target.assembly(module, processor)
        assert not re.search(r"\b(callq?|bl)\s+_?(fma|fmaf|trunc|memcpy|memset|__\w+)\b", text), "calls into a library"
        if number == 0:
            assert re.search(expected, text)
            if not kind.fma:
                assert "vfmadd" not in text


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_a_product_and_a_sum_are_never_fused(lanes):
    """Only what says fma is one: LLVM must not contract `a * b + c`."""
    host = target.host()
    module = host.module()
    f = module.function("f", "address")
    (address,) = f.parameters
    rows = Rows.of(address, "float", (3, 16))
    a, b, c = (rows[i].vector(lanes) for i in range(3))
    rows[0, 0] = a * b + c
    assert not re.search("fmadd|fmla", target.assembly(module, host))


#: Most instructions a fused multiply-add in the loops that do the work; measured 1.5 to 3.3 (docs/engine.md).
MOST = 3.6


@pytest.mark.parametrize("name", ["AVX-512", "AVX2", "aarch64", "Apple"])
def test_instructions_per_multiply_add(name):
    """Every inner loop with a register tile of its own: broadcasts, loads and spills must not crowd out the FMAs."""
    kind, triple, cpu, _ = TARGETS[name]
    processor = target.Target(kind.lanes, kind.registers, kind.fma, triple, cpu, kind.features)
    layout = Layout(Architecture(56, 12, 4, 2), "replicate", 4, processor)
    blocks = blocks_of_work(target.assembly(schedule.module(layout), processor))
    assert len(blocks) >= 6  # 5×5, mapping, expanding, the deconvolution's two tiles and its interpolation
    assert max(ratio for _, ratio in blocks) <= MOST, blocks


def blocks_of_work(assembly):
    """(function, instructions per FMA) of each basic block that has 26 FMAs or more."""
    blocks, function = [], ""
    for line in assembly.splitlines():
        if label := re.match(r"([^\s#;/]\S*):", line):
            function = label[1].strip("_") if label[1].strip("_").isalpha() else function
            blocks.append((function, []))
        elif blocks and re.match(r"\s+[a-z]", line):
            blocks[-1][1].append(line.split()[0])
    counts = ((f, len(block), sum(bool(re.match("vfmadd|fmla", word)) for word in block)) for f, block in blocks)
    return [(f, length / fmas) for f, length, fmas in counts if fmas >= 26]
