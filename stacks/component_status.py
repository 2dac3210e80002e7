"""What a component says when it is asked, and the error for what it lacks."""

from dataclasses import dataclass

from accidents.errors import AccidentsError


@dataclass(frozen=True)
class ComponentCheck:
    """What one component, or the stack as a whole, has to say."""

    kind: str
    name: str
    flavor: str
    ok: bool
    text: str


class ComponentUnavailable(AccidentsError):  # noqa: N818 - said of a component, not of the program
    """Something that a component needs is not there; the text names it and the remedy."""
