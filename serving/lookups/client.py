"""A small JSON answer over HTTP: limited in time and size, without redirects and without stored credentials."""

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any

from accidents.requests.derived_facts import LookupFailedError

_MAX_BYTES = 500_000
_REFUSED_QUESTION = (400, 404, 413, 414, 422)
_CHUNK_BYTES = 1 << 16
_HEADERS = {"Accept": "application/json", "User-Agent": "french-road-accidents"}


class ServiceFailedError(LookupFailedError):
    """A service does not answer, or not as its API says; asking it again at once would not help."""


def get_json(url: str, parameters: Mapping[str, str | int | float], seconds: float) -> Any:
    """The JSON that a service answers with.

    Args:
        url: address without parameters.
        parameters: query parameters.
        seconds: time for the whole answer.

    Raises:
        LookupFailedError: the service refuses these parameters.
        ServiceFailedError: no answer in time, another status than 200, a redirect, no JSON, or more than 500 kB.
    """
    import requests  # slow to import, and few services ask others

    end = monotonic() + seconds
    try:
        with requests.get(
            url,
            params=dict(parameters),
            headers=_HEADERS,
            timeout=seconds,
            allow_redirects=False,
            stream=True,
            auth=lambda request: request,  # else a password in ~/.netrc would be sent
            proxies={"http": ""},  # what is not encrypted stays on this machine
        ) as response:
            if response.status_code in _REFUSED_QUESTION:
                raise LookupFailedError(f"the question was refused with status {response.status_code}")
            if response.status_code != requests.codes.ok:
                raise ServiceFailedError(f"the service answered with status {response.status_code}")
            content = bytearray()
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > _MAX_BYTES:
                    raise ServiceFailedError(f"the answer is longer than {_MAX_BYTES:,} bytes")
                if monotonic() > end:
                    raise ServiceFailedError(f"no whole answer within {seconds:g} s")
            return json.loads(content)
    except requests.Timeout:
        raise ServiceFailedError(f"no answer within {seconds:g} s") from None
    except requests.RequestException as error:
        raise ServiceFailedError(f"the service cannot be reached ({type(error).__name__})") from None
    except (ValueError, RecursionError):
        raise ServiceFailedError("the answer is no JSON") from None
