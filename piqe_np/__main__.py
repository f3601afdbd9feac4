"""`python -m piqe_np`."""

import sys

from fsrcnn_np.piqe_cli import main

if __name__ == "__main__":
    sys.exit(main())
