"""`python run.py registry`: registered models on the command line."""

from collections.abc import Sequence

from cli.exit_codes import ended
from cli.registry.arguments import parser


def main(arguments: Sequence[str]) -> int:
    """Do what was typed after `registry`; returns the exit code: 0 done, 1 failed or refused by rule, 2 mistyped."""
    given = parser().parse_args(arguments)

    def answered() -> int:
        from cli.zenml_session import read_environment

        read_environment()
        from cli.registry.answers import answer

        return answer(given)

    return ended(answered, debug=given.debug)
