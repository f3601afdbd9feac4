#!/usr/bin/env bash
# The tests whose digits a processor could move, as lesser processors run them: NumPy with all its dispatched features
# off, then the machine code for AVX2 and for no vector features at all. After tests/run.sh, in the same environment.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
digits=(
  tests/network/test_reference.py tests/engine/test_answer.py tests/engine/test_pixels.py
  tests/pipeline/test_upscale.py tests/pipeline/test_stream.py
)
numpy=(
  tests/images tests/phantom/test_texture.py tests/piqe/test_piqe_reference.py tests/piqe/test_piqe_vectors.py
  tests/piqe/test_piqe_docs.py tests/parity/test_parity_suite.py tests/study/test_statistics.py
  tests/study/test_compare.py
)

off=$(env -u NPY_DISABLE_CPU_FEATURES "$python" tests/numpy_features.py) # all of them, whatever is off already
echo "NumPy without ${off:-anything: this processor has no feature above the baseline}"
without="NPY_DISABLE_CPU_FEATURES='$off' bash tests/run.sh -q"
passes=("$without ${numpy[*]}" "$without ${digits[*]}")
if [ "$(uname -m)" = x86_64 ]; then
  for target in avx2 plain; do # machine code for it
    passes+=("FSRCNN_NP_TARGET=$target bash tests/run.sh -q ${digits[*]}")
  done
fi
INSTALLED=yes exec "$python" tests/side_by_side.py 2 "${passes[@]}"
