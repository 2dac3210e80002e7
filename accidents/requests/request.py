"""What a request becomes."""

from dataclasses import dataclass

from accidents.features.arrays import Arrays


@dataclass(frozen=True)
class Request:
    """One accident ready for `accidents.features`.

    `missing` names the published columns that features use and the request does not give, such as `accident.lum`;
    `warnings` say what was given and could not be used as it stands. `accident` is its `Num_Acc` if given.
    """

    arrays: Arrays
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    accident: int | None
