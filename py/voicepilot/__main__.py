"""`python -m voicepilot` is the command line."""

import sys

from voicepilot.cli import main

if __name__ == "__main__":
    sys.exit(main())
