"""ICE restarts (RFC 8445, 2.4), which aiortc does not have: a call whose way has broken goes on over another.

The new way is looked for beside the old one. Where the peer is not found on it, the call is as it was.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiortc import RTCConfiguration, RTCIceTransport, RTCPeerConnection

from vivavoce.errors import ProtocolError
from vivavoce.webrtc.reach import Reach, reach
from vivavoce.webrtc.way import Way, answers, ice_transports

__all__ = ["MEET_SECONDS", "Restarts"]

MEET_SECONDS = 10.0
"""To find the addresses of both sides: names of the peer's network are looked up, and STUN servers asked."""


class Restarts:
    """The restarts of one call. They happen one after another; a peer that begins anew has given up what it began."""

    def __init__(self, peer: RTCPeerConnection, configuration: RTCConfiguration) -> None:
        self._peer = peer
        self._configuration = configuration
        self._ours = self._theirs = ""
        self._lock = asyncio.Lock()
        self._crossing: asyncio.Task[None] | None = None

    def begin(self, ours: str, theirs: str) -> None:
        """Take how both sides described themselves at the beginning."""
        self._ours, self._theirs = ours, theirs

    async def answers(self) -> bool:
        """Ask the peer whether it is still there, and return whether it says so."""
        return await answers(self._transport())

    async def offer(self, exchange: Callable[[str], Awaitable[str]]) -> bool:
        """Offer the peer another way, and return whether the call goes there now.

        ``exchange`` is given the offer, and returns the peer's answer; what it raises is raised here. Raises
        `ProtocolError` for an answer that is none.
        """
        async with self._lock:
            way = await self._another_way()
            try:
                offer = await _gathered(way, self._ours)
                answer = await exchange(offer)
                await _meet(way, _read(answer, self._theirs))
            except BaseException:
                await way.close()
                raise
            self._ours, self._theirs = offer, answer
            return await way.run()

    async def answer(self, offer: str, over: Callable[[bool], None]) -> str:
        """Return the answer to a peer's offer of another way, which is looked for from then on.

        ``over`` learns whether the call goes there. Raises `ProtocolError` for an offer that is none, of somebody else
        or of another call, and for a call that is not connected.
        """
        async with self._lock:
            peer = _read(offer, self._theirs)
            way = await self._another_way()
            try:
                await _meet(way, peer)
                answer = await _gathered(way, self._ours)
                self._transport()  # it may have been closed meanwhile
            except BaseException:
                await way.close()
                raise
            self._ours, self._theirs = answer, offer
            self._crossing = asyncio.create_task(_cross(way, over))
            return answer

    async def close(self) -> None:
        """Give up what is under way."""
        if self._crossing is not None:
            self._crossing.cancel()
            await asyncio.gather(self._crossing, return_exceptions=True)

    async def _another_way(self) -> Way:
        transport = self._transport()
        await self.close()  # the peer has given that up
        return Way(transport, self._configuration)

    def _transport(self) -> RTCIceTransport:
        found = ice_transports(self._peer)
        if len(found) != 1:
            raise _refused(f"expected media that share one transport (BUNDLE), got {len(found)} of them")
        transport = found.pop()
        if transport.state != "completed":
            raise ProtocolError(
                f"Only a call that is connected can take another way; this one is {transport.state}.",
                code="call_not_connected",
            )
        return transport


async def _gathered(way: Way, ours: str) -> str:
    await way.gather()
    return way.described(ours)


def _read(description: str, before: str) -> Reach:
    try:
        return reach(description, before)
    except Exception as error:  # aiortc raises anything for what is no SDP
        raise _refused(str(error) or type(error).__name__) from error


async def _meet(way: Way, peer: Reach) -> None:
    try:
        async with asyncio.timeout(MEET_SECONDS):
            await way.meet(peer)
    except (TimeoutError, ValueError) as error:
        raise _refused(f"its candidates cannot be used: {error!r}") from error


async def _cross(way: Way, over: Callable[[bool], None]) -> None:
    try:
        await way.run()
    finally:
        over(way.taken)  # even where it was not left to listen to the old one


def _refused(why: str) -> ProtocolError:
    return ProtocolError(f"This is no restart of this call: {why}.", code="invalid_offer", param="sdp")
