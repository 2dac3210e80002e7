"""How every command ends: its exit code, and one paragraph in place of a traceback."""

import os
import sys
from collections.abc import Callable

from accidents.errors import AccidentsError, ConfigurationError

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def ended(work: Callable[[], int], *, debug: bool) -> int:
    """Do the work and return its exit code; of a fault that a user can mend the text is printed.

    Args:
        work: does it, and returns an exit code.
        debug: leave faults as they are, with their traceback.
    """
    try:
        code = work()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has left, as `head` does; what is still held of it must not be written at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except AccidentsError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return REFUSED if isinstance(error, ConfigurationError) else FAILED
