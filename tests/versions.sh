#!/usr/bin/env bash
# The suite's core areas with other releases than today's, in an environment of their own, made by uv:
#   bash tests/versions.sh lowest-direct 3.11      # every lower bound of pyproject.toml
#   bash tests/versions.sh highest 3.14            # the newest of everything
# What follows goes to pytest. EXTRAS names the extras; without dicom and matlab, which ask for NumPy 2, lowest-direct
# takes NumPy 1.26:
#   EXTRAS=plot,study,reader,dask,completion,docs bash tests/versions.sh lowest-direct 3.11 tests/network tests/images tests/piqe
# PyTorch is left out: of PyPI it is some GB. Where Octave, dciodvfy and a browser are needed, tests/run.sh installs them.
set -euo pipefail
cd "$(dirname "$0")/.."
resolution=$1 python=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v uv >/dev/null || {
  python3 -m venv "$work/uv"
  "$work/uv/bin/python" -m pip install -q --disable-pip-version-check uv
  PATH=$work/uv/bin:$PATH
}
extras=${EXTRAS:-dicom,pacs,plot,completion,docs,study,reader,dask,onnx}
tests=('pytest>=8' 'hypothesis>=6.100' 'build>=1.2' 'hatchling>=1.26')
case ",$extras," in *,dicom,*) # what the tests of files and of the reader compare with
  tests+=('statsmodels>=0.14.2' 'playwright>=1.49' 'axe-playwright-python>=0.1.4' 'onnxruntime>=1.17')
esac
uv venv -q --python "$python" "$work/venv"
uv pip install -q --python "$work/venv" --resolution "$resolution" -e ".[$extras]" "${tests[@]}"
uv pip list -q --python "$work/venv" --format freeze | grep -iE '^(numpy|scipy|numba|llvmlite|h5py|pillow|imagecodecs)=' | xargs
[ $# -gt 0 ] || set -- tests/network tests/images tests/files tests/house tests/pipeline tests/piqe \
  tests/weights/test_shipped.py
[ -d "${FSRCNN_SHARED:-}" ] || set -- -m 'not shared' "$@"
"$work/venv/bin/python" -m pytest -q "$@"
