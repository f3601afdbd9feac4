#!/usr/bin/env bash
# Installs what the tests need (Debian's Octave, R, Orthanc, dcmtk, gcc and Chromium where apt-get is there, a virtual environment in .venv or $VENV)
# and passes them. Arguments go to pytest: bash tests/run.sh tests/piqe -x
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

missing=()
for pair in octave:octave Rscript:r-base-core; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ "$(uname)" = Linux ]; then # the archive that tests/pacs sends to
  [ -x /usr/sbin/Orthanc ] && [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing+=(orthanc orthanc-dicomweb)
  command -v storescu >/dev/null || missing+=(dcmtk)
  command -v dciodvfy >/dev/null || missing+=(dicom3tools)
  command -v cc >/dev/null || missing+=(gcc libc6-dev) # for the library of tests/faults
  [ -e /usr/share/i18n/locales/de_DE ] || missing+=(locales) # a decimal comma
  command -v chromium >/dev/null || missing+=(chromium) # the browser that tests/reader reads in
fi
if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "GNU Octave, R and (on Linux) Orthanc, dcmtk, dicom3tools, gcc and Chromium are needed by the tests: install ${missing[*]}" >&2
    exit 2
  fi
fi

python=$venv/bin/python
if [ ! -x "$python" ]; then
  "$(command -v python3 || command -v python)" -m venv "$venv"
fi
[ -x "$python" ] || python=$venv/Scripts/python.exe # on Windows
pip=("$python" -m pip install -q --disable-pip-version-check)
"${pip[@]}" 'torch==2.13.0' # one release for everybody, so that a range does not fetch whatever came last
"${pip[@]}" -e '.[test]'

# Images and models that are not part of the project: their tests run where the folder is, else are deselected.
selection=()
export FSRCNN_SHARED=${FSRCNN_SHARED:-$(cd .. && pwd)/shared/data}
if [ ! -d "$FSRCNN_SHARED" ]; then
  count=$("$python" -m pytest --collect-only -q -m shared "$@" 2>/dev/null | grep -c '::' || true)
  echo "no shared data at $FSRCNN_SHARED: $count tests that need it are deselected"
  selection=(-m 'not shared')
fi
exec "$python" -m pytest "${selection[@]}" "$@"
