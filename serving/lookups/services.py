"""The configured services as one object: with a deadline a request, a cache, and a pause after a failure."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import TypeVar

from accidents.configuration.serving import LookupSettings
from accidents.requests.derived_facts import LookupFailedError, Place
from serving.lookups.client import ServiceFailedError
from serving.lookups.geocoder import search_places
from serving.lookups.weather import atm_code, day_of_weather

_Result = TypeVar("_Result")

_CACHED = 1000  # answers of each service
_THREADS = 8
_WHOLE_TIME = 0.9  # share of the timeout that a service had, to be the one that failed
_PLACES = 5  # that are looked at
_LEAST_SCORE = 0.5  # of a place that is taken without a person choosing it
_PLACE_DIGITS = 2  # of coordinates that the weather service gets, about 1 km
_FORECAST_DAYS = timedelta(days=60)  # for which the forecast keeps the past
_SETTLED_DAYS = timedelta(days=7)  # after which the weather of a day is not corrected any more


class Services:
    """The geocoder and the weather service of a process; each may be missing."""

    def __init__(self, settings: LookupSettings) -> None:
        self.settings = settings
        self._threads = ThreadPoolExecutor(_THREADS, "lookups")
        self._paused_until: dict[str, float] = {}
        self._places = lru_cache(_CACHED)(search_places)
        self._weather = lru_cache(_CACHED)(self._day_of_weather)

    def for_request(self) -> "RequestLookups":
        """The services with the deadline of a request that begins now."""
        return RequestLookups(self, monotonic() + self.settings.timeout_seconds)

    def places(self, address: str, commune: str | None, limit: int, end: float) -> tuple[tuple[Place, float], ...]:
        """`search_places`, before the time `end` of `monotonic`.

        Raises:
            LookupFailedError: the geocoder does not answer in time, or has failed before.
        """
        arguments = str(self.settings.geocoder), address, commune, limit, self.settings.timeout_seconds
        return self._ask("geocoder", end, lambda: self._places(*arguments))

    def weather(self, latitude: float, longitude: float, time: datetime, end: float) -> int | None:
        """Code `atm` at a place and time, before the time `end` of `monotonic`; None where it is not known.

        Raises:
            LookupFailedError: the weather service does not answer in time, or has failed before.
        """
        time, now = time.astimezone(UTC), datetime.now(UTC)
        archived = now - time > _FORECAST_DAYS
        url = self.settings.weather_archive if archived else self.settings.weather
        if url is None:
            return None
        edition = 0 if now - time > _SETTLED_DAYS else int(now.timestamp() // 3600)
        place = round(latitude, _PLACE_DIGITS), round(longitude, _PLACE_DIGITS)
        arguments = str(url), *place, time.date().isoformat(), edition
        hours = self._ask("weather service", end, lambda: self._weather(*arguments))
        return atm_code(hours, time)

    def close(self) -> None:
        """Stop the threads; what they wait for ends by its timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _day_of_weather(self, url: str, latitude: float, longitude: float, day: str, edition: int):  # type: ignore[no-untyped-def]
        del edition  # part of the key of the cache: recent weather is asked for again every hour
        return day_of_weather(url, latitude, longitude, day, self.settings.timeout_seconds)

    def _ask(self, service: str, end: float, ask: Callable[[], _Result]) -> _Result:
        """Ask in a thread, since looking up the name of a host has no timeout; a service that fails is left alone."""
        pause = self._paused_until.get(service, 0.0) - monotonic()
        if pause > 0:
            raise LookupFailedError(f"the {service} has failed and is asked again in {pause:.0f} s")
        left = max(end - monotonic(), 0)
        try:
            return self._threads.submit(ask).result(left)
        except TimeoutError:
            if left < _WHOLE_TIME * self.settings.timeout_seconds:
                raise LookupFailedError(f"other services left the {service} {left:.1f} s to answer") from None
            reason = f"no answer within {self.settings.timeout_seconds:g} s"
        except ServiceFailedError as error:
            reason = str(error)
        self._paused_until[service] = monotonic() + self.settings.pause_seconds
        raise LookupFailedError(f"the {service} failed: {reason}")


class RequestLookups:
    """The services within the time of one request (`accidents.requests.derived_facts.Lookups`)."""

    def __init__(self, services: Services, end: float) -> None:
        self._services, self._end = services, end

    def place(self, address: str, commune: str | None) -> Place | None:
        """See `Lookups.place`."""
        if self._services.settings.geocoder is None:
            return None
        for place, score in self._services.places(address, commune, _PLACES, self._end):
            if score >= _LEAST_SCORE and commune in {None, place.commune}:  # not every geocoder has the filter
                return place
        raise LookupFailedError("the geocoder knows no such address")

    def weather(self, latitude: float, longitude: float, time: datetime) -> int | None:
        """See `Lookups.weather`."""
        return self._services.weather(latitude, longitude, time, self._end)
