"""`python -m piqe_np`."""

import sys

from piqe_np.cli import main

if __name__ == "__main__":
    sys.exit(main())
