"""Configuration of the service: address, model, limits of requests and callers, prediction records."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from accidents.configuration.stages import EXCLUSIVE_STAGE_PATTERN, PRODUCTION
from accidents.settings import Settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class RequestLimits(Settings):
    """Limits of one request; larger requests are rejected."""

    body_megabytes: float = Field(10, gt=0, le=1000, description="size of a body, after decompression")
    stream_megabytes: float = Field(500, gt=0, description="size of a body of JSON lines, after decompression")
    batch: int = Field(1000, ge=1, le=100_000, description="accidents of one JSON batch, and of one piece of a stream")
    evaluation: int = Field(10_000, ge=2, le=100_000, description="labelled accidents of one evaluation")
    body_seconds: float = Field(20, gt=0, description="time for a body; more while it keeps coming")
    write_seconds: float = Field(20, gt=0, description="time without progress of a reader; 20 kB a second are enough")


class LoadLimits(Settings):
    """What a worker takes on at once; more waits, and then gets 503."""

    heavy: int = Field(2, ge=1, le=32, description="batches, evaluations, explanations and bodies above 64 kB")
    streams: int = Field(8, ge=1, le=100, description="requests with JSON lines")
    wait_seconds: float = Field(5, gt=0, le=600, description="time to wait for a turn")
    spool_megabytes: float = Field(2000, gt=0, description="bodies in temporary files, of all workers together")


class CallerLimits(Settings):
    """Rate limits of a caller, over all workers of one machine."""

    requests_per_second: int = Field(2000, ge=1, description="requests of one key")
    failures_per_minute: int = Field(10, ge=1, description="refused keys from one address before it is locked out")
    lockout_seconds: float = Field(
        60, gt=0, description="time for which further ones get status 429; valid keys never do"
    )


def _parse_network(value: object) -> IPv4Network | IPv6Network:
    """A network; one address is a network of itself, and networks of IPv4-mapped addresses are those of IPv4."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        network = ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("has to be an address, or a network such as 10.0.0.0/8") from None
    if network.prefixlen == 0:
        raise ValueError("trusts everybody: name the proxies")
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return IPv4Network((mapped, network.prefixlen - 96)) if mapped and network.prefixlen > 96 else network


def _check_host(value: str) -> str:
    """A host name or address; with a slash a network, in the spelling of the network itself."""
    return str(_parse_network(value)) if "/" in value else value


def _check_service_url(value: str) -> str:
    """The place of an accident goes to this address: encrypted, or not out of this machine."""
    url = urlsplit(value)
    encrypted = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    if not encrypted or not url.hostname or url.username or url.query or url.fragment:
        raise ValueError("has to be https://…, or http:// on this machine, without user, parameters and #")
    return value


ServiceUrl = Annotated[str, AfterValidator(_check_service_url)]
"""Address of a service that learns the place of an accident."""


class LookupSettings(Settings):
    """Services that are asked for facts about an accident; they learn its place. None is asked by default."""

    geocoder: ServiceUrl | None = Field(
        None, description="search of a geocoder with the French address API, https://…/search/"
    )
    weather: ServiceUrl | None = Field(None, description="forecast of a weather service with the API of Open-Meteo")
    weather_archive: ServiceUrl | None = Field(None, description="its archive, for more than 60 days ago")
    timeout_seconds: float = Field(1.0, gt=0, le=10, description="time for all lookups of an answer")
    pause_seconds: float = Field(30.0, ge=0, le=3600, description="time for which a service that failed is not asked")

    @property
    def configured(self) -> bool:
        """Whether there is a service to ask."""
        return any((self.geocoder, self.weather, self.weather_archive))


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    if "*" in origins and len(origins) > 1:
        raise ValueError("'*' means every origin: name it alone")
    return origins


Origin = Annotated[str, Field(pattern=r"^(\*|https?://[a-z0-9.\-:\[\]]+)$")]
"""Origin as browsers send it: scheme, host in lower case and port, without a path; or `*`."""


class RecordSettings(Settings):
    """Database of predictions, outcomes and API keys."""

    database_url: SecretStr | None = Field(
        None,
        description="postgresql://… or sqlite:///…; SERVING_DATABASE_URL goes before it; null: records/serving.db",
    )
    flush_seconds: float = Field(
        1.0, gt=0, le=60, description="time between two writes; what a killed process loses at most"
    )
    queue: int = Field(50_000, ge=1, description="predictions that wait to be written; more are dropped and counted")
    queue_megabytes: float = Field(100, gt=0, description="memory for the accidents of those that wait")
    inputs: Literal["full", "reduced", "none"] = Field(
        "reduced", description="of each accident: all, what features use without names and places in detail, or nothing"
    )
    keep_days: float = Field(365, gt=0, description="age at which python run.py predictions prune deletes")
    refresh_seconds: float = Field(2.0, gt=0, le=600, description="time until a new or revoked key takes effect")
    key_grace_seconds: float = Field(
        300.0, ge=0, description="time for which keys are valid after the database has ceased to answer; refused then"
    )


class ShadowSettings(Settings):
    """A second model that scores the same accidents beside the answers."""

    model: str | None = Field(
        None, min_length=1, description="NAME, NAME/VERSION or NAME@ALIAS of a registered model, or a model file"
    )
    queue: int = Field(2000, ge=1, description="accidents that wait for it; more are not scored, and counted")


class ServingSettings(Settings):
    """Settings of the service."""

    host: str = Field("127.0.0.1", min_length=1, description="address that it listens on")
    port: int = Field(8080, ge=0, le=65_535, description="port that it listens on; 0: any free one")
    workers: int = Field(1, ge=1, le=64, description="processes that answer")
    stage: str = Field(PRODUCTION, pattern=EXCLUSIVE_STAGE_PATTERN, description="stage of the model that is served")
    poll_seconds: float = Field(5, gt=0, description="time between two looks at the registry, or at the model file")
    anonymous: bool = Field(False, description="answer without a key, on this machine alone")
    open_metrics: bool = Field(False, description="give /metrics without a key")
    hosts: tuple[Annotated[str, AfterValidator(_check_host)], ...] = Field(
        (), description="names, addresses and networks by which callers may address it, besides this machine's own"
    )
    cors_origins: Annotated[tuple[Origin, ...], AfterValidator(_check_origins)] = Field(
        (), description="origins of other pages that may call the API, such as https://example.org; *: every page"
    )
    classic_interface: bool = Field(
        False, description="answer below /api/v1/, too, in the shapes of the classic project"
    )
    trusted_proxies: tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_parse_network)], ...] = Field(
        (), description="addresses and networks of proxies whose X-Forwarded-For, -Proto and -Host count"
    )
    root_path: str = Field(
        "", pattern=r"^(/[^/?#\s]+)*$", description="path prefix of a proxy, such as /accidents, stripped by it or not"
    )
    stop_seconds: int = Field(20, ge=1, description="time for pending requests at a shutdown")
    derive_facts: bool = Field(True, description="derive light and department from what was given")
    lookups: LookupSettings = LookupSettings()
    shadow: ShadowSettings = ShadowSettings()
    request: RequestLimits = RequestLimits()
    load: LoadLimits = LoadLimits()
    caller: CallerLimits = CallerLimits()
    records: RecordSettings = RecordSettings()
