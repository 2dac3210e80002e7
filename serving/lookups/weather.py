"""Weather of an hour as code `atm`, from a service that speaks the API of Open-Meteo: `hourly=weather_code,…`."""

from datetime import datetime
from typing import Any

from serving.lookups.client import ServiceFailedError, get_json

_STRONG_WIND = 50  # km/h
_NORMAL, _LIGHT_RAIN, _HEAVY_RAIN, _SNOW, _FOG, _WIND, _OVERCAST, _OTHER = 1, 2, 3, 4, 5, 6, 8, 9
_CODES = {
    _NORMAL: (0, 1),
    _OVERCAST: (2, 3),
    _FOG: range(40, 50),
    _LIGHT_RAIN: (51, 52, 53, 56, 57, 61, 63),
    _HEAVY_RAIN: (65, 66, 67, 80, 81, 82),
    _SNOW: (*range(71, 78), 85, 86),
}
"""Codes of the WMO by `atm`."""
_ATM = {wmo: atm for atm, codes in _CODES.items() for wmo in codes}

Hours = tuple[tuple[int | None, float | None], ...]
"""Code of the WMO, and wind in km/h, of every hour of a day in UTC."""


def day_of_weather(url: str, latitude: float, longitude: float, day: str, seconds: float) -> Hours:
    """Weather of a day.

    Args:
        url: address of the forecast or of the archive.
        latitude: in degrees.
        longitude: in degrees.
        day: in UTC, such as `2024-06-01`.
        seconds: time for the answer.

    Raises:
        ServiceFailedError: the service does not answer, or not as its API says.
    """
    content = get_json(
        url,
        {
            "latitude": latitude,
            "longitude": longitude,
            "hourly": "weather_code,wind_speed_10m",
            "start_date": day,
            "end_date": day,
            "timezone": "GMT",
        },
        seconds,
    )
    try:
        hourly = content["hourly"]
        hours = zip(hourly["time"], hourly["weather_code"], hourly["wind_speed_10m"], strict=True)
        by_time = {str(time): (_number(code), _number(wind)) for time, code, wind in hours}
        return tuple(
            (None if code is None else int(code), wind)
            for code, wind in (by_time[f"{day}T{hour:02d}:00"] for hour in range(24))
        )
    except (KeyError, TypeError, ValueError):
        raise ServiceFailedError("the answer of the weather service has no hours of that day") from None


def atm_code(hours: Hours, time: datetime) -> int | None:
    """Code `atm` of the hour of a time in UTC; None where the service has no weather for it."""
    code, wind = hours[time.hour]
    if wind is not None and wind > _STRONG_WIND:
        return _WIND
    return None if code is None else _ATM.get(code, _OTHER)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise TypeError(value)
    return value
