"""A call: a peer, and the endpoint that it talks with."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from vivavoce.audio.pcm import Pcm
from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import ErrorEvent
from vivavoce.webrtc.door import UdpDoor, without_candidates
from vivavoce.webrtc.leg import IceServer, Leg, advertised
from vivavoce.webrtc.talk import Output, Talk, ToAll, ToEndpoint, ToPeer

__all__ = ["Call", "Transport"]

MOST_WAITING = 256
"""Events that may wait for the endpoint; at 40 ms of speech each, 10 s."""

MOST_UNREAD = 4096
"""Events that may wait for the peer; without speech in them, many answers have fewer."""

_log = logging.getLogger(__name__)
_IDS = Ids()


class Transport(Protocol):
    """One session with an endpoint."""

    async def send(self, data: str | bytes) -> None:
        """Take one client event; wait while the endpoint is busy. Raises `ConnectionLost` once it is over."""
        ...

    async def receive(self) -> str | bytes:
        """Return the next server event. Raises `ConnectionLost` when there are no more."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        ...


class Call:
    """Joins a peer with a session. Make one, `answer` the peer's offer, and `run` it to its end."""

    def __init__(
        self,
        transport: Transport,
        *,
        ice_servers: Sequence[IceServer] = (),
        door: UdpDoor | None = None,
        public_address: str | None = None,
        most_bytes: int | None = None,
        beside: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        """``door`` is the port that the peer comes through; None lets every call have ports of its own.

        ``public_address`` is what peers are told of such ports, where it is another than they have. An event of the
        peer that is longer than ``most_bytes`` is refused. ``beside`` is told the events that are not the endpoint's
        but the call's own: what is heard of an answer.
        """
        self._most_bytes = most_bytes
        self._beside = beside
        self._transport = transport
        self._door = door
        self._public_address = public_address
        self._answer = ""
        self._talk = Talk()
        self._leg = Leg(self._next_frame, self._heard, self._told, ice_servers=ice_servers)
        self._to_endpoint: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._to_peer: asyncio.Queue[bytes] = asyncio.Queue(MOST_UNREAD)
        self._ended: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()

    async def answer(self, offer: str) -> str:
        """Answer the peer's offer, both in SDP. Raises `ProtocolError` for one that cannot be answered."""
        if self._door is None:
            return self._shown(await self._leg.answer(offer))
        self._answer = await self._leg.answer(without_candidates(offer))
        return self._door.admit(self._answer)

    async def restart(self, offer: str) -> str:
        """Answer the peer's offer of another way for this call, both in SDP; until it is found, nothing changes.

        Raises `ProtocolError` for one that cannot be answered.
        """
        door = self._door
        if door is None:
            return self._shown(await self._leg.answer_restart(offer))

        def over(taken: bool) -> None:  # noqa: FBT001
            was, self._answer = (self._answer, answer) if taken else (answer, self._answer)
            door.forget(was)

        answer = await self._leg.answer_restart(without_candidates(offer), over)
        return door.admit(answer)

    def _shown(self, answer: str) -> str:
        return answer if self._public_address is None else advertised(answer, self._public_address)

    def silence(self) -> bool:
        """Stop what is being said, as ``output_audio_buffer.clear`` does; True, since it is played from here."""
        self._do(self._talk.silence())
        return True

    def end(self, code: int, reason: str = "") -> None:
        """Say that it is over, and why. Only the first to say so is heard."""
        if not self._ended.done():
            self._ended.set_result(ConnectionLost(code, reason))

    async def run(self) -> ConnectionLost:
        """Carry speech and events until somebody ends it; let go of both sides, and return why."""
        lost = ConnectionLost(1001, "The server stops.")  # what a cancelled call tells
        pumps = [
            asyncio.create_task(pump)
            for pump in (self._up(), self._down(), self._across(), self._wait_for_leg())
        ]
        for pump in pumps:
            pump.add_done_callback(self._check)
        try:
            lost = await self._ended
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await self._transport.close(lost.code, lost.reason)
            await self._leg.close(lost.code, lost.reason)
            if self._door is not None:
                self._door.forget(self._answer)
        return lost

    async def _up(self) -> None:
        try:
            while True:
                await self._transport.send(await self._to_endpoint.get())
        except ConnectionLost:
            return  # who receives learns why

    async def _down(self) -> None:
        try:
            while True:
                self._do(self._talk.receive(Frame(await self._transport.receive())))
                if self._talk.playout.waiting:
                    self._leg.wake()
                    await asyncio.sleep(
                        0
                    )  # an answer comes in a burst, and its beginning is due before its end
        except ConnectionLost as lost:
            self.end(lost.code, lost.reason)

    async def _across(self) -> None:
        try:
            while True:
                await self._send(await self._to_peer.get())
        except ConnectionLost as lost:
            self.end(lost.code, lost.reason)

    async def _send(self, data: bytes) -> None:
        try:
            await self._leg.send(data)
        except ProtocolError as error:
            await self._leg.send(_told_of(error).data)

    async def _wait_for_leg(self) -> None:
        lost = await self._leg.ended()
        self.end(lost.code, lost.reason)

    def _next_frame(self) -> Pcm | None:
        pcm, outputs = self._talk.next_frame()
        self._do(outputs)
        return pcm

    def _heard(self, pcm: Pcm) -> None:
        self._do(self._talk.speak(pcm))

    def _told(self, data: str | bytes) -> None:
        try:
            self._check_size(data.encode() if isinstance(data, str) else data)
            self._do(self._talk.tell(data))
        except ProtocolError as error:
            self._do([ToPeer(_told_of(error))])

    def _check_size(self, data: bytes) -> None:
        if self._most_bytes is not None and len(data) > self._most_bytes:
            raise ProtocolError(
                f"Expected an event of at most {self._most_bytes} bytes, got one of {len(data)}.",
                code="message_too_large",
            )

    def _do(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, ToAll):
                self._beside(output.frame.data)
            queue, who = (
                (self._to_endpoint, "endpoint") if isinstance(output, ToEndpoint) else (self._to_peer, "peer")
            )
            if queue.full():
                self.end(1008, f"The {who} does not keep up with the call.")
            else:
                queue.put_nowait(output.frame.data)

    def _check(self, pump: asyncio.Task[None]) -> None:
        if not pump.cancelled() and (error := pump.exception()) is not None:
            _log.error("a call failed", exc_info=error)
            self.end(1011, "The call failed; this is a defect of the server.")


def _told_of(error: ProtocolError) -> Frame:
    event = ErrorEvent.of(error)
    event.event_id = _IDS.event()
    return Frame.of(event)
