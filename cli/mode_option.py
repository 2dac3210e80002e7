"""Options of a command line with several modes: each declares which modes take it and what it overrides.

Imports nothing heavy: `--help` must answer at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from typing import Any

import click

from cli.options import ListOption


class ModeOption(click.Option):
    """An option that some of the modes take.

    Args:
        param_decls: as of `click.Option`.
        section: the heading under which `--help` lists it.
        modes: the modes that take it; every mode where empty.
        alone: its mode must be the only one.
        required_in: the modes that cannot do without it.
        needs: the option without which it has no meaning.
        one_of: options with the same word here exclude each other.
        key: the configuration key that it overrides.
        key_modes: the modes in which it overrides the key; every mode where empty.
        **attributes: as of `click.Option`.
    """

    def __init__(
        self,
        param_decls: Sequence[str],
        *,
        section: str,
        modes: Sequence[str] = (),
        alone: bool = False,
        required_in: Sequence[str] = (),
        needs: str = "",
        one_of: str = "",
        key: str = "",
        key_modes: Sequence[str] = (),
        **attributes: Any,
    ) -> None:
        super().__init__(param_decls, **attributes)
        self.section, self.modes, self.alone, self.required_in = section, modes, alone, required_in
        self.needs, self.one_of, self.key, self.key_modes = needs, one_of, key, key_modes

    @property
    def flag(self) -> str:
        """Such as `--model-name`."""
        return self.opts[0]

    def value(self, options: object) -> Any:
        """Its value in the options."""
        return getattr(options, str(self.name))

    def is_given(self, options: object) -> bool:
        """Whether it was on the command line; zero and the empty text count."""
        return not any(self.value(options) is absent for absent in (None, False, ()))

    def overrides_configuration(self, options: object, modes: Sequence[str]) -> bool:
        """Whether it was given and overrides a key of the configuration in these modes."""
        return bool(self.key) and self.is_given(options) and (not self.key_modes or bool({*self.key_modes} & {*modes}))

    def check(self, options: object, modes: Sequence[str]) -> None:
        """Check that it goes with the modes.

        Raises:
            click.UsageError: it is missing, or would be ignored; names what it goes with.
        """
        if not self.is_given(options):
            for mode in self.required_in:
                if mode in modes:
                    raise click.UsageError(f"{flag(mode)} needs {self.flag} {self.metavar}")
            return
        own = " or ".join(map(flag, self.modes))
        others = " and ".join(flag(mode) for mode in modes if mode != self.name and mode not in self.modes)
        if self.modes and not {*self.modes} & {*modes}:
            raise click.UsageError(f"{self.flag} goes with {own}{f', not with {others}' if others else ''}")
        if self.alone and len(modes) > 1:
            allowed = f"{own} alone" if own else "no other mode"
            raise click.UsageError(f"{self.flag} goes with {allowed}, not with {others}")
        if self.needs and getattr(options, self.needs) is None:
            raise click.UsageError(f"{self.flag} goes with {flag(self.needs)}")


class ModeListOption(ModeOption, ListOption):
    """An option that some of the modes take, with several values."""


def option(text: str, modes: Sequence[str] = (), key: str = "", *, default: Any = None, **attributes: Any) -> Any:
    """A dataclass field that declares a `ModeOption`; the name of the field gives the flag.

    Args:
        text: the description for `--help`.
        modes: the modes that take it; every mode where empty.
        key: the configuration key that it overrides.
        default: the value where it was not given.
        **attributes: as of `ModeOption`; `choices` are the allowed values.
    """
    return field(default=default, metadata={"help": text, "modes": modes, "key": key, **attributes})


def switch(text: str, modes: Sequence[str] = (), key: str = "", **attributes: Any) -> Any:
    """As `option`, without a value."""
    return option(text, modes, key, default=False, is_flag=True, **attributes)


def values(text: str, modes: Sequence[str] = (), key: str = "", **attributes: Any) -> Any:
    """As `option`, with several values."""
    return option(text, modes, key, default=(), cls=ModeListOption, **attributes)


def mode_options(dataclass: Any, sections: Mapping[str, str]) -> Iterator[ModeOption]:
    """The options that the fields of a dataclass declare, in sections that begin with the named fields."""
    section = ""
    for declared in fields(dataclass):
        attributes = dict(declared.metadata)
        section = sections.get(declared.name, section)
        if choices := attributes.pop("choices", ()):
            attributes["type"] = click.Choice(choices)
        elif not attributes.get("is_flag"):
            attributes.setdefault("metavar", declared.name.upper())
        yield attributes.pop("cls", ModeOption)([flag(declared.name)], section=section, **attributes)


def flag(name: str) -> str:
    """The flag of a parameter, such as `--model-name` of `model_name`."""
    return f"--{name.replace('_', '-')}"


def check_combination(declared: Iterable[ModeOption], options: object, modes: Sequence[str]) -> None:
    """Check that all options go with the modes and with each other.

    Raises:
        click.UsageError: an option is missing, would be ignored, or excludes another one.
    """
    by_word: dict[str, str] = {}
    for item in declared:
        item.check(options, modes)
        if item.one_of and item.is_given(options):
            other = by_word.setdefault(item.one_of, item.flag)
            if other != item.flag:
                raise click.UsageError(f"{other} and {item.flag} exclude each other")
