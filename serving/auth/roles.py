"""Who may do what: roles of API keys, and what verifying one yields."""

from dataclasses import dataclass
from enum import StrEnum

ANONYMOUS = "anonymous"
"""Stands for the id of a key where none was needed."""


class Role(StrEnum):
    """Roles in their order: each may do what those before it may."""

    PREDICT = "predict"
    EVALUATE = "evaluate"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do what `other` may."""
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}


class Reason(StrEnum):
    """Why a key is refused."""

    MISSING = "missing"
    WRONG = "wrong"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is; `id` is that of the key."""

    id: str
    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the caller may do what asks for `role`."""
        return self.role.includes(role)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no caller."""

    reason: Reason
