"""How every command ends: its exit code, and one paragraph in place of a traceback."""

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
        return work()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except AccidentsError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return REFUSED if isinstance(error, ConfigurationError) else FAILED
