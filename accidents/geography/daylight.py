"""Daylight at a place and time: day, civil twilight or night."""

from datetime import datetime
from enum import StrEnum

_SUNRISE = -0.833  # degrees: upper edge of the sun on the horizon, with refraction
_CIVIL_DUSK = -6.0


class Daylight(StrEnum):
    """Light of the sun."""

    DAY = "day"
    TWILIGHT = "twilight"
    NIGHT = "night"


def daylight(latitude: float, longitude: float, time: datetime) -> Daylight:
    """Daylight by the elevation of the sun: day from sunrise to sunset, then civil twilight until it is 6 degrees low.

    Args:
        latitude: in degrees.
        longitude: in degrees.
        time: with its time zone.

    >>> from datetime import UTC
    >>> [str(daylight(48.86, 2.35, datetime(2024, 6, 21, hour, 12, tzinfo=UTC))) for hour in (12, 20, 23)]
    ['day', 'twilight', 'night']
    """
    from astral import Observer
    from astral.sun import elevation

    angle = elevation(Observer(latitude, longitude), time, with_refraction=False)
    return Daylight.DAY if angle > _SUNRISE else Daylight.TWILIGHT if angle > _CIVIL_DUSK else Daylight.NIGHT
