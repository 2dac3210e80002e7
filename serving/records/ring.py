"""The API keys in memory, as the service verifies them: a snapshot that a thread keeps up to date."""

from sqlalchemy import Engine

from serving.records.access import Caller, Refusal


class KeyRing:
    """Verifies keys in microseconds; where the database is away it goes on with what it read last.

    Make one a process, after a fork: the thread does not survive one.
    """

    def __init__(self, engine: Engine, refresh_seconds: float) -> None:
        raise NotImplementedError

    @property
    def usable(self) -> int:
        """How many keys are neither revoked nor expired."""
        raise NotImplementedError

    @property
    def failures(self) -> int:
        """How often the database did not answer."""
        raise NotImplementedError

    @property
    def age_seconds(self) -> float:
        """Time since the snapshot was read."""
        raise NotImplementedError

    def verify(self, text: str | None) -> Caller | Refusal:
        """The caller whose key `text` is; the same work is done whether or not there is such a key."""
        raise NotImplementedError

    def close(self) -> None:
        """End the thread."""
