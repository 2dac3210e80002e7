"""Check that an address other machines can reach requires API keys. Imports the database for such addresses only."""

import ipaddress

from accidents.configuration.serving import ServingSettings
from accidents.errors import ConfigurationError


def check_bind_address(settings: ServingSettings) -> None:
    """Refuse to listen on an address that other machines reach, without authentication or without any API key.

    Raises:
        ConfigurationError: the address is not a loopback address, and access is anonymous or no key is active.
    """
    if _is_loopback(settings.host):
        return
    from serving.auth.key_cache import KeyCache
    from serving.records.database import migrate, open_database

    if settings.anonymous:
        raise ConfigurationError(
            f"host {settings.host} can be reached by other machines; anonymous access works on this machine only: "
            "leave it out"
        )
    engine = open_database(settings.records)
    try:
        migrate(engine)
        key_cache = KeyCache(engine, settings.records.refresh_seconds)
        active = key_cache.active_count
        key_cache.close()
    finally:
        engine.dispose()
    if not active:
        raise ConfigurationError(
            f"host {settings.host} can be reached by other machines and there is no active API key: "
            "python run.py keys create --name NAME --role predict"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
