"""``python -m examples.demo`` from the project's folder."""

import sys

from .demo import main

if __name__ == "__main__":
    sys.exit(main())
