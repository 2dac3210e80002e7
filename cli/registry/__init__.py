"""`python run.py registry`: registered models on the command line."""

import sys
from collections.abc import Sequence

from accidents.errors import AccidentsError, ConfigurationError
from cli.registry.arguments import parser

DONE, FAILED, REFUSED = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Do what was typed after `registry`; returns the exit code: 0 done, 1 failed or refused by rule, 2 mistyped."""
    given = parser().parse_args(arguments)
    try:
        from cli.session import read_environment

        read_environment()
        from cli.registry.answers import answer

        return answer(given)
    except AccidentsError as error:
        if given.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return REFUSED if isinstance(error, ConfigurationError) else FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
