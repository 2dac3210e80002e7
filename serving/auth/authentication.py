"""Authentication by API key, with rate limits per key and a lockout of addresses that send too many wrong keys.

This is middleware and no FastAPI dependency, so that static files, unknown paths and bodies are covered, too, and
because resolving a dependency costs more than verifying a key.
"""

import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from accidents.configuration.serving import CallerLimits
from serving.auth.key_cache import KeyCache
from serving.auth.roles import ANONYMOUS, Caller, KeyRejection, Role
from serving.http.errors import ApiError, send_error
from serving.observability.metrics import Metrics

PUBLIC_PATHS = frozenset({"/", "/health", "/ready", "/docs", "/openapi.json", "/favicon.ico"})
"""Paths that need no API key."""

PUBLIC_PREFIXES = ("/page/", "/swagger/")
"""Prefixes of the paths of static files, which need no API key."""

_ANONYMOUS_CALLER = Caller(ANONYMOUS, ANONYMOUS, Role.EVALUATE)
_MAX_ENTRIES = 10_000
_BEARER = b"bearer "
_MESSAGES = {
    KeyRejection.MISSING: "an API key is required: Authorization: Bearer KEY, or X-API-Key: KEY",
    KeyRejection.WRONG: "the API key is wrong",
    KeyRejection.EXPIRED: "the API key has expired",
    KeyRejection.REVOKED: "the API key was revoked",
}


class RateLimiter:
    """Fixed-window counter by name; a few hundred nanoseconds a call.

    Args:
        seconds: length of a window.
        limit: how many calls of one name a window allows.
    """

    def __init__(self, seconds: float, limit: int) -> None:
        self._seconds, self._limit = seconds, limit
        self._window_end = 0.0
        self._counts: dict[str, int] = {}

    def allow(self, name: str) -> bool:
        """Count one call; False beyond the limit."""
        now = time.monotonic()
        if now >= self._window_end:
            self._counts.clear()
            self._window_end = now + self._seconds
        elif len(self._counts) >= _MAX_ENTRIES:
            self._counts.clear()
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return count <= self._limit


class Authenticator:
    """Verifies API keys and enforces the limits of callers.

    An address that sends too many wrong keys is locked out for a while. A key that was accepted from there before
    still works, so that one caller with a wrong key does not lock out another behind the same address.
    """

    def __init__(
        self, key_cache: KeyCache, limits: CallerLimits, metrics: Metrics, *, anonymous: bool, open_metrics: bool
    ) -> None:
        self._key_cache, self._limits, self._metrics = key_cache, limits, metrics
        self._anonymous, self._open_metrics = anonymous, open_metrics
        self._requests = RateLimiter(1, limits.requests_per_second)
        self._failures = RateLimiter(60, limits.failures_per_minute)
        self._locked_until: dict[str, float] = {}
        self._accepted: set[tuple[str, str]] = set()

    def authenticate(self, scope: Scope) -> Caller:
        """The caller of a request.

        Args:
            scope: the ASGI scope of the request.

        Raises:
            ApiError: 401 without a valid API key, 429 above the rate limit or from an address that is locked out.
        """
        key = _api_key(scope["headers"])
        if key is None and (self._anonymous or (self._open_metrics and scope["path"] == "/metrics")):
            return _ANONYMOUS_CALLER
        address = scope["client"][0] if scope.get("client") else ""
        caller = self._key_cache.verify(key)
        if isinstance(caller, KeyRejection):
            self._check_lockout(address)
            self._record_failure(address, caller)
            raise ApiError(401, f"key_{caller}", _MESSAGES[caller], headers={"WWW-Authenticate": "Bearer"})
        if (address, caller.id) not in self._accepted:
            self._check_lockout(address)
            if len(self._accepted) >= _MAX_ENTRIES:
                self._accepted.clear()
            self._accepted.add((address, caller.id))
        if not self._requests.allow(caller.id):
            self._metrics.count_refused("rate")
            message = f"more than {self._limits.requests_per_second} requests a second"
            raise ApiError(429, "rate", message, headers={"Retry-After": "1"})
        return caller

    def _check_lockout(self, address: str) -> None:
        until = self._locked_until.get(address)
        if until is None:
            return
        seconds = until - time.monotonic()
        if seconds > 0:
            self._metrics.count_refused("locked_out")
            message = "too many wrong API keys from this address; try again later"
            raise ApiError(429, "locked_out", message, headers={"Retry-After": str(int(seconds) + 1)})
        del self._locked_until[address]

    def _record_failure(self, address: str, rejection: KeyRejection) -> None:
        self._metrics.count_refused(f"key_{rejection}")
        if rejection is not KeyRejection.MISSING and not self._failures.allow(address):
            if len(self._locked_until) >= _MAX_ENTRIES:
                self._locked_until.clear()
            self._locked_until[address] = time.monotonic() + self._limits.lockout_seconds


class AuthenticationMiddleware:
    """Stores the authenticated caller as `scope["state"]["caller"]`; refuses requests without one."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self.app, self.authenticator = app, authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate a request, unless its path is public."""
        if scope["type"] == "http" and not (scope["path"] in PUBLIC_PATHS or scope["path"].startswith(PUBLIC_PREFIXES)):
            try:
                scope["state"]["caller"] = self.authenticator.authenticate(scope)
            except ApiError as error:
                await send_error(send, error, scope["state"]["request_id"])
                return
        await self.app(scope, receive, send)


def _api_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip().decode("latin-1")
        if name == b"x-api-key":
            return value.strip().decode("latin-1")
    return None
