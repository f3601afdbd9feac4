"""The processors whose code this machine can run: one test body for every width of vectors."""

from dataclasses import replace

from fsrcnn_np.engine.llvm import target

HOST = target.host()
RUNNABLE = {"host": HOST, "no FMA": target.PLAIN}
if HOST.lanes == 16:
    RUNNABLE["AVX2"] = replace(target.AVX2, cpu="x86-64-v3")
if HOST.fma:  # fewer lanes than the processor has, and as many registers as aarch64
    RUNNABLE["four lanes"] = replace(HOST, lanes=4)
