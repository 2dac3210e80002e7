"""Who may come in: keys, how much a caller may ask, and addresses that have shown too many wrong keys."""

import time
from collections.abc import Iterable

from starlette.types import Scope

from accidents.configuration.serving import CallerLimits
from serving.auth.key_cache import KeyRing
from serving.auth.roles import ANONYMOUS, Caller, Reason, Refusal, Role
from serving.http.errors import ServingError
from serving.observability.metrics import Metrics

_ANYBODY = Caller(ANONYMOUS, ANONYMOUS, Role.EVALUATE)
_MOST_KNOWN = 10_000
_BEARER = b"bearer "
_SAID = {
    Reason.MISSING: "a key is needed: Authorization: Bearer KEY, or X-API-Key: KEY",
    Reason.WRONG: "the key is wrong",
    Reason.EXPIRED: "the key has expired",
    Reason.REVOKED: "the key was revoked",
}


class Window:
    """Counts by name, from zero again in every span of so many seconds; a few hundred nanoseconds each."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._ends = 0.0
        self._counts: dict[str, int] = {}

    def takes(self, name: str) -> bool:
        """Count one more; whether that many are allowed."""
        now = time.monotonic()
        if now >= self._ends:
            self._counts.clear()
            self._ends = now + self._seconds
        elif len(self._counts) >= _MOST_KNOWN:
            self._counts.clear()
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return count <= self._most


class Doorkeeper:
    """Lets requests in, or says why not.

    An address that shows too many wrong keys is locked out for a while. A key that has been accepted from there before
    still is, so that one caller with a wrong key does not lock out another behind the same address.
    """

    def __init__(
        self, ring: KeyRing, limits: CallerLimits, metrics: Metrics, *, anonymous: bool, open_metrics: bool
    ) -> None:
        self._ring, self._limits, self._metrics = ring, limits, metrics
        self._anonymous, self._open_metrics = anonymous, open_metrics
        self._requests = Window(1, limits.requests_per_second)
        self._failures = Window(60, limits.failures_per_minute)
        self._locked: dict[str, float] = {}
        self._known: set[tuple[str, str]] = set()

    def caller(self, scope: Scope) -> Caller:
        """Whose request it is.

        Raises:
            ServingError: 401 without a good key, 429 for too many requests or from an address that is locked out.
        """
        text = _key(scope["headers"])
        if text is None and (self._anonymous or (self._open_metrics and scope["path"] == "/metrics")):
            return _ANYBODY
        address = scope["client"][0] if scope.get("client") else ""
        found = self._ring.verify(text)
        if isinstance(found, Refusal):
            self._check_lock(address)
            self._note_failure(address, found)
            raise ServingError(401, f"key_{found.reason}", _SAID[found.reason], headers={"WWW-Authenticate": "Bearer"})
        if (address, found.id) not in self._known:
            self._check_lock(address)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known.add((address, found.id))
        if not self._requests.takes(found.id):
            self._metrics.refused("rate")
            raise ServingError(
                429,
                "rate",
                f"more than {self._limits.requests_per_second} requests a second",
                headers={"Retry-After": "1"},
            )
        return found

    def _check_lock(self, address: str) -> None:
        until = self._locked.get(address)
        if until is None:
            return
        left = until - time.monotonic()
        if left > 0:
            self._metrics.refused("locked_out")
            wait = str(int(left) + 1)
            raise ServingError(
                429,
                "locked_out",
                "too many wrong keys from this address; try again later",
                headers={"Retry-After": wait},
            )
        del self._locked[address]

    def _note_failure(self, address: str, refusal: Refusal) -> None:
        self._metrics.refused(f"key_{refusal.reason}")
        if refusal.reason is Reason.MISSING:
            return
        if not self._failures.takes(address):
            if len(self._locked) >= _MOST_KNOWN:
                self._locked.clear()
            self._locked[address] = time.monotonic() + self._limits.lockout_seconds


def _key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip().decode("latin-1")
        if name == b"x-api-key":
            return value.strip().decode("latin-1")
    return None
