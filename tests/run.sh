#!/usr/bin/env bash
# Installs what the tests need (Debian's Octave, R, Orthanc, dcmtk, gcc and Chromium where apt-get is there, a virtual environment in .venv or $VENV)
# and passes them, in two processes side by side. Arguments go to pytest, then one: bash tests/run.sh tests/piqe -x
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
if [ -z "${INSTALLED:-}" ]; then # as after an earlier run of this file
  pip=("$python" -m pip install -q --disable-pip-version-check)
  "${pip[@]}" 'torch==2.13.0' # one release for everybody, so that a range does not fetch whatever came last
  "${pip[@]}" -e '.[test]'
fi

# Bytecode is kept, wherever that is switched off: each of a thousand processes would compile the packages again.
unset PYTHONDONTWRITEBYTECODE

# Images and models that are not part of the project: their tests run where the folder is, else are deselected.
selection=()
export FSRCNN_SHARED=${FSRCNN_SHARED:-$(cd .. && pwd)/shared/data}
if [ ! -d "$FSRCNN_SHARED" ]; then
  echo "no shared data at $FSRCNN_SHARED: tests that need it are deselected; pytest counts them"
  selection=(-m 'not shared')
fi
if [ $# -gt 0 ]; then
  exec "$python" -m pytest "${selection[@]}" "$@"
fi

# Two processes, each with half of the work; a folder that is not named here belongs to the other one.
half=(tests/{concurrency,convert,faults,files,pacs,piqe,reader,weights})
pytest=("$python" -m pytest -p no:cacheprovider "${selection[@]}")
exec "$python" tests/side_by_side.py 2 \
  "$(printf '%q ' "${pytest[@]}" "${half[@]/#/--ignore=}")" "$(printf '%q ' "${pytest[@]}" "${half[@]}")"
