"""Who could reach a service, and that others than this machine need a key. Imports the database only for those."""

import ipaddress

from accidents.configuration.serving import ServingSettings
from accidents.errors import ConfigurationError


def refuse_open_doors(settings: ServingSettings) -> None:
    """See to it that others need a key.

    Raises:
        ConfigurationError: the address is one that other machines reach, and anybody, or nobody, could come in.
    """
    if _is_this_machine(settings.host):
        return
    from serving.auth.key_cache import KeyRing
    from serving.records.database import migrate, opened

    if settings.anonymous:
        raise ConfigurationError(
            f"host {settings.host} is reached by other machines; anonymous access is for this one alone: leave it out"
        )
    engine = opened(settings.records)
    try:
        migrate(engine)
        ring = KeyRing(engine, settings.records.refresh_seconds)
        usable = ring.usable
        ring.close()
    finally:
        engine.dispose()
    if not usable:
        raise ConfigurationError(
            f"host {settings.host} is reached by other machines and there is no key: "
            "python run.py keys create --name NAME --role predict"
        )


def _is_this_machine(host: str) -> bool:
    """Whether an address to listen on is one that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
