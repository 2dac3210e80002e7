"""Authentication by API key, with rate limits per key and a lockout of addresses that send too many wrong keys.

This is middleware and no FastAPI dependency, so that static files, unknown paths and bodies are covered, too, and
because resolving a dependency costs more than verifying a key.
"""

from collections.abc import Iterable
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from accidents.configuration.serving import CallerLimits
from serving.auth.key_cache import KeyCache
from serving.auth.rate_limit import RateLimiter
from serving.auth.roles import ANONYMOUS, Caller, KeyRejection, Role
from serving.http.errors import ApiError, send_error
from serving.http.forwarded import counted_network
from serving.observability.metrics import Metrics

_CLASSIC_HEALTH = ("/api/v1/predict/health", "/api/v1/predict/health/")
PUBLIC_PATHS = frozenset({"/", "/health", "/ready", "/docs", "/openapi.json", "/favicon.ico", *_CLASSIC_HEALTH})
"""Paths that need no API key."""

PUBLIC_PREFIXES = ("/page/", "/page/outlines/", "/swagger/")
"""Prefixes of the paths of static files, which need no API key."""

_ANONYMOUS_CALLER = Caller(ANONYMOUS, ANONYMOUS, Role.EVALUATE)
_BEARER = b"bearer "
_MESSAGES = {
    KeyRejection.MISSING: "an API key is required: Authorization: Bearer KEY, or X-API-Key: KEY",
    KeyRejection.WRONG: "the API key is wrong",
    KeyRejection.EXPIRED: "the API key has expired",
    KeyRejection.REVOKED: "the API key was revoked",
}


class Authenticator:
    """Verifies API keys and enforces the limits of callers.

    Every key is looked up in memory before anything else, so that a valid one is accepted whatever else its address
    sent. An address that sends too many other keys is locked out: it gets 429 for them, with the time to wait.

    Args:
        key_cache: the keys.
        limits: limits of callers.
        metrics: counts refused requests.
        folder: for the counts, which all workers with the same folder share.
        anonymous: accept requests without a key.
        open_metrics: accept requests for `/metrics` without a key.
    """

    def __init__(
        self,
        key_cache: KeyCache,
        limits: CallerLimits,
        metrics: Metrics,
        folder: Path,
        *,
        anonymous: bool,
        open_metrics: bool,
    ) -> None:
        self._key_cache, self._limits, self._metrics = key_cache, limits, metrics
        self._anonymous, self._open_metrics = anonymous, open_metrics
        self._requests = RateLimiter(folder / "requests.counts", 1, limits.requests_per_second)
        # The failure that exceeds the limit is still told why; those after it are not.
        self._failures = RateLimiter(
            folder / "failures.counts", 60, limits.failures_per_minute + 1, limits.lockout_seconds, exact=True
        )

    def authenticate(self, scope: Scope) -> Caller:
        """The caller of a request.

        Args:
            scope: the ASGI scope of the request.

        Raises:
            ApiError: 401 without a valid API key; 429 above the rate limit, or for a wrong key from an address that is
                locked out; 503 while keys cannot be verified since the database has been away for too long.
        """
        key = _api_key(scope["headers"])
        if key is None and (self._anonymous or (self._open_metrics and scope["path"] == "/metrics")):
            return _ANONYMOUS_CALLER
        if key is not None and self._key_cache.expired:
            self._metrics.count_refused("keys_unavailable")
            raise keys_unavailable()
        caller = self._key_cache.verify(key)
        if isinstance(caller, KeyRejection):
            raise self._refusal(caller, key or "", scope)
        if (seconds := self._requests.hit(caller.id)) > 0:
            self._metrics.count_refused("rate")
            message = f"more than {self._limits.requests_per_second} requests a second"
            raise _too_many("rate", message, seconds)
        return caller

    def _refusal(self, rejection: KeyRejection, key: str, scope: Scope) -> ApiError:
        """Count a failure; a missing key is none."""
        if rejection is not KeyRejection.MISSING:
            address = counted_network(scope["client"][0]) if scope.get("client") else ""
            if (seconds := self._failures.hit(address)) > 0:
                self._metrics.count_refused("locked_out")
                seconds = min(seconds, self._key_cache.retry_seconds(key))
                return _too_many("locked_out", "too many wrong API keys from this address; try again later", seconds)
        self._metrics.count_refused(f"key_{rejection}")
        return ApiError(401, f"key_{rejection}", _MESSAGES[rejection], headers={"WWW-Authenticate": "Bearer"})


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


def _too_many(code: str, message: str, seconds: float) -> ApiError:
    return ApiError(429, code, message, headers={"Retry-After": str(int(seconds) + 1)})


def keys_unavailable() -> ApiError:
    """The refusal of every API key while the database has been away for too long."""
    message = "API keys cannot be verified, since the database does not answer; try again later"
    return ApiError(503, "keys_unavailable", message, headers={"Retry-After": "5"})


def _api_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip().decode("latin-1")
        if name == b"x-api-key":
            return value.strip().decode("latin-1")
    return None
