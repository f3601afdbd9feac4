"""Imported first by what trains: without PyTorch one line says what to install, and the status is 2."""

import sys
from importlib.util import find_spec

if find_spec("torch") is None:
    print(f"{sys.argv[0]}: training needs PyTorch: pip install 'fsrcnn-np[train]'", file=sys.stderr)
    raise SystemExit(2)
