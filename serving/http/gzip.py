"""Bodies that come compressed: unpacked a bounded piece at a time, however much a caller has packed into them."""

import zlib
from typing import Any

from serving.http.errors import ServingError

_PIECE = 1_000_000


class Gunzip:
    """Unpacks a body piece by piece.

    What was taken in and does not fit into one piece waits; `waiting` says so, and the next call gives it out.
    """

    def __init__(self) -> None:
        self._stream: Any = zlib.decompressobj(wbits=31)

    @property
    def waiting(self) -> bool:
        """Whether there is more to give out than was given."""
        return bool(self._stream.unconsumed_tail)

    def __call__(self, packed: bytes, *, last: bool) -> bytes:
        """The next piece of the content.

        Args:
            packed: more of the body; nothing while something waits.
            last: whether no more of the body is to come.

        Raises:
            ServingError: 400, the body is no gzip, ends too early, or goes on after its end.
        """
        if self._stream.eof and packed:
            raise _no_gzip("goes on after its end")
        try:
            piece = bytes(self._stream.decompress(self._stream.unconsumed_tail + packed, _PIECE))
        except zlib.error:
            raise _no_gzip("is no gzip") from None
        if self._stream.unused_data:
            raise _no_gzip("goes on after its end")
        if last and not self.waiting and not self._stream.eof:
            raise _no_gzip("is cut off")
        return piece


def _no_gzip(fault: str) -> ServingError:
    return ServingError(400, "compression", f"the body is said to be gzip and {fault}")
