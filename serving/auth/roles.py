"""Roles, the authenticated caller, and the reasons for which an API key is rejected."""

from dataclasses import dataclass
from enum import StrEnum

ANONYMOUS = "anonymous"
"""Caller id where no API key was required."""


class Role(StrEnum):
    """Roles in ascending order; each includes the permissions of those before it.

    Examples:
        >>> Role.ADMIN.includes(Role.PREDICT)
        True
        >>> Role.PREDICT.includes(Role.EVALUATE)
        False
    """

    PREDICT = "predict"
    EVALUATE = "evaluate"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role has all permissions of `other`."""
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}


class KeyRejection(StrEnum):
    """Why an API key is rejected."""

    MISSING = "missing"
    WRONG = "wrong"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated caller; `id` and `name` are those of the API key."""

    id: str
    name: str
    role: Role
