"""What is left of a body when the answer is ready: read and thrown away, or the connection ends with the answer.

Otherwise the rest would be taken for the next request, or a caller that is still sending would never see the answer.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST = 20_000_000
_SECONDS = 2.0
_CLOSE = (b"connection", b"close")


class Leftovers:
    """Sees to the rest of a body that nobody has read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        ended = False

        async def noted() -> Message:
            nonlocal ended
            message = await receive()
            ended = ended or not message.get("more_body", False)
            return message

        async def discarded() -> bool:
            """Whether the rest has come, within bounds."""
            total = 0
            try:
                async with asyncio.timeout(_SECONDS):
                    while not ended and total <= _MOST:
                        total += len((await noted()).get("body", b""))
            except TimeoutError:
                pass
            return ended

        async def clean(message: Message) -> None:
            if message["type"] == "http.response.start" and not ended and _CLOSE not in message["headers"]:
                waits = any(name == b"expect" for name, _ in scope["headers"])
                if waits or not await discarded():
                    message = {**message, "headers": [*message["headers"], _CLOSE]}
            await send(message)

        await self.app(scope, noted, clean)


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )
