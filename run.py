"""The front door of the project: `python run.py --help` says what can be done."""

import gc
import sys

from cli.main import main

OBJECTS_BETWEEN_COLLECTIONS = 50_000

if __name__ == "__main__":
    # Imports make millions of objects that stay; looking through them for garbage again and again, and once more at
    # the end, takes a quarter of a short command.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    code = main()
    gc.freeze()
    sys.exit(code)
