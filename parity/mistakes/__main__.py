"""`python -m parity.mistakes`."""

import sys

from .piqe import main

if __name__ == "__main__":
    sys.exit(main())
