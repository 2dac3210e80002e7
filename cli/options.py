"""Click options and types that several commands share. Imports nothing heavy: `--help` must answer at once."""

import math
from collections.abc import Sequence
from typing import Any

import click

_DEBUG = "cli.debug"
_MAX_DAYS = 36_500
_EXIT_CODES = "Exit codes: 0 done, 1 something is missing or failed, 2 wrong command line or configuration"


def debug_enabled() -> bool:
    """Whether `--debug` was given to the current command or to a group above it."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_DEBUG))


def set_debug(context: click.Context, _: click.Parameter, value: bool) -> bool:
    """Callback of `--debug`: remember it for `debug_enabled`."""
    if value:
        context.meta[_DEBUG] = True
    return value


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=set_debug, help="show tracebacks and all messages"
)
json_option = click.option("--json", "as_json", is_flag=True, help="print JSON, for scripts")
config_option = click.option(
    "--config", multiple=True, metavar="FILE", help="a YAML file in place of the one in configs/; repeatable"
)


class CommaSeparated(click.ParamType):
    """A list of values, separated by commas.

    Args:
        choices: the allowed values, compared without regard to letter case; any value where None.
            The value `all` stands for all of them.
    """

    name = "list"

    def __init__(self, choices: Sequence[str] | None = None) -> None:
        self.choices = choices

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Split the text; fails where it is empty or names something that is not allowed."""
        values = tuple(part.strip() for part in value.split(",") if part.strip())
        if self.choices is None:
            return values or self.fail("name at least one", param, ctx)
        values = tuple(part.lower() for part in values)
        if values == ("all",):
            return tuple(self.choices)
        if not values or not {*values} <= {*self.choices}:
            self.fail(f"{value!r}: choose all, or some of {', '.join(self.choices)}", param, ctx)
        return values


class Days(click.ParamType):
    """A number of days up to a hundred years.

    Args:
        zero: whether 0 is allowed.
    """

    name = "days"

    def __init__(self, *, zero: bool) -> None:
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number; NaN is out of range, too."""
        try:
            days = float(value)
        except ValueError:
            days = math.nan
        if not 0 <= days <= _MAX_DAYS or (days == 0 and not self.zero):
            allowed = "from 0 to" if self.zero else "above 0, and at most"
            self.fail(f"{value!r}: must be a number {allowed} {_MAX_DAYS}", param, ctx)
        return days


class ListOption(click.Option):
    """A repeatable option of comma-separated values: `--models a b`, `--models a,b` and `--models a --models b` agree.

    Its command must be a `Command` or a `Group` of this module. The parameter is a tuple without repetitions, empty
    where the option was not given.
    """

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **{"type": CommaSeparated(), "multiple": True, **attributes})

    def type_cast_value(self, ctx: click.Context, value: Any) -> tuple[str, ...]:
        """Flatten the lists of all uses of the option."""
        lists = super().type_cast_value(ctx, value)
        return tuple(dict.fromkeys(item for items in lists for item in items))


def join_values(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Callback of a `ListOption`: its values as one text, separated by commas; None where it was not given."""
    return ",".join(values) or None


def _repeat_option_names(parameters: Sequence[click.Parameter], arguments: Sequence[str]) -> list[str]:
    """Turn `--models a b` into `--models a --models b`, since an option of click takes one value."""
    names = {name for option in parameters if isinstance(option, ListOption) for name in option.opts}
    result: list[str] = []
    current = None
    for argument in arguments:
        if argument.startswith("-"):
            current = argument if argument in names else None
        elif current and result[-1] != current:
            result.append(current)
        result.append(argument)
    return result


class Command(click.Command):
    """A command whose list options take several values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line."""
        return super().parse_args(ctx, _repeat_option_names(self.params, args))


class Group(click.Group):
    """A group whose list options take several values, and whose subcommands are listed as they were added."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **{"epilog": _EXIT_CODES, **attributes})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options of the group."""
        return super().parse_args(ctx, _repeat_option_names(self.params, args))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the signature is click's
        """Names of the subcommands, in the order in which they were added."""
        return list(self.commands)
