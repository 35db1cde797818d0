"""A response that was asked for, for who waits for it."""

import asyncio
from collections.abc import Generator

from vivavoce.client.responses import Request
from vivavoce.errors import VivaVoceError
from vivavoce.protocol.responses import Response

__all__ = ["Reply"]


class Reply:
    """Await it for the `Response` as it is in the end: completed, incomplete, cancelled or failed.

    Awaiting raises what there is instead of a response: `ProtocolError` when the endpoint refuses it,
    `ConnectionLost` when it goes away, `VivaVoceError` when it was cancelled before it began.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._future.add_done_callback(_seen)

    @property
    def response_id(self) -> str | None:
        """The response's id, once it has begun."""
        return self.request.response_id

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self._future.done()

    def settle(self) -> bool:
        """Tell those who wait, if there is something to tell; return whether there was."""
        if self.request.settled and not self._future.done():
            if self.request.response is not None:
                self._future.set_result(self.request.response)
            else:
                self._future.set_exception(self.request.error or VivaVoceError("There is no response."))
        return self.request.settled

    def __await__(self) -> Generator[object, None, Response]:
        return self._wait().__await__()

    async def _wait(self) -> Response:
        # Not by `asyncio.shield`: where who waits is cancelled, that tells the loop of an error that comes after.
        await asyncio.wait([self._future])
        return self._future.result()


def _seen(future: asyncio.Future[Response]) -> None:
    """Nobody has to wait for a reply, so an error that nobody asks for is no defect."""
    if not future.cancelled():
        future.exception()
