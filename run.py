"""The front door of the project: `python run.py --help` says what can be done."""

import sys

from cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
