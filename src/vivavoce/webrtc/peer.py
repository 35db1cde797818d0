"""Call an endpoint: a transport for `vivavoce.RealtimeClient` whose speech travels as media.

::

    async with RealtimeClient(url, api_key=key, transport="webrtc") as client:
        ...

    async with RealtimeClient(transport=lambda: PeerTransport.connect(url, ice_servers=[…])) as client:
        ...

Everything else is as over a WebSocket: speech that the client sends goes out at its own pace, and what the endpoint
says comes in as ``response.output_audio.delta`` events. They are made here, of what was heard, since on a call the
endpoint sends none.
"""

import asyncio
import base64
import logging
from collections.abc import Sequence
from typing import Self

import aiohttp

from vivavoce.audio.pcm import Pcm, decode_pcm16, encode_pcm16
from vivavoce.errors import AudioError, ConnectionFailed, ProtocolError
from vivavoce.protocol.client_events import InputAudioBufferAppend
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import MessageItem
from vivavoce.protocol.server_events import (
    OutputAudioBufferStarted,
    ResponseOutputAudioDelta,
    ResponseOutputItemAdded,
)
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.webrtc.leg import IceServer, Leg
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE, Playout
from vivavoce.webrtc.reorder import HELD
from vivavoce.webrtc.signalling import Signalling

__all__ = ["PeerTransport"]

LOOK_SECONDS = 4.0
"""From one question whether the endpoint is still there to the next. Its silence for three seconds and a half is a
broken way, and it ends the call after some half a minute."""

AHEAD_SECONDS = 2.0
"""Speech that may wait to be sent: who sends a file as fast as it can waits."""

MOST_WAITING = 4096
"""Events that may wait for the client; with 20 ms of speech each, more than a minute."""

LAST_SAMPLES = (HELD + 2) * FRAME_SAMPLES
"""What is still heard of an answer when the endpoint says that it has stopped: what is held back here, and what is on
its way."""

LAST_SECONDS = 0.5
"""How long it is waited for: it may be lost."""

_log = logging.getLogger(__name__)


class PeerTransport:
    """One call. Make it with `connect`."""

    def __init__(self, signalling: Signalling, ice_servers: Sequence[IceServer] = ()) -> None:
        self._signalling = signalling
        self._leg = Leg(self._next_frame, self._heard, self._told, ice_servers=ice_servers, pauses=False)
        self._playout = Playout()
        self._room = asyncio.Event()
        self._events: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._ids = Ids()
        self._speaking: str | None = None
        """The response that is being heard."""
        self._stopped: bytes | None = None
        """The event that says so, while the last of an answer is still to be heard."""
        self._last = 0
        """Samples of it that were heard since."""
        self._waiting: asyncio.TimerHandle | None = None
        self._items: dict[str, tuple[str, int]] = {}
        """The message that each response is saying, and its index."""

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        api_key: str | None = None,
        session: RealtimeSessionParams | None = None,
        ice_servers: Sequence[IceServer] = (),
        http: aiohttp.ClientSession | None = None,
    ) -> Self:
        """Call the endpoint at ``url``, such as ``https://api.openai.com/v1``.

        ``session`` is what the call begins with; an ephemeral key knows that already. Raises `ConnectionFailed`.
        """
        call = cls(Signalling(url, api_key=api_key, http=http), ice_servers)
        try:
            await call._leg.accept(await call._signalling.begin(await call._leg.offer(), session))
        except BaseException:
            await call.close()
            raise
        call._leg.spawn(call._mend())
        return call

    @property
    def call_id(self) -> str:
        """The endpoint's name of the call, for a sideband."""
        return self._signalling.call_id

    async def _mend(self) -> None:
        """Look for another way whenever the one to the endpoint is broken, unless the endpoint knows none.

        The leg finds out by itself when it is too late.
        """
        await self._leg.opened()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if not await self._leg.answers():
                    await self._leg.restart(self._signalling.restart)
            except ConnectionFailed as refused:
                if refused.status is not None and refused.status < 500:
                    return
                _log.debug("another way could not be had: %s", refused)
            except ProtocolError as error:
                _log.debug("another way could not be had: %s", error)

    async def send(self, data: str | bytes) -> None:
        """Send one client event; speech is put out at its own pace. Raises `ConnectionLost` once it is over."""
        frame = Frame(data)
        if frame.type != "input_audio_buffer.append":
            await self._leg.send(data)
            return
        event = frame.client_event()
        assert isinstance(event, InputAudioBufferAppend)
        try:
            pcm = decode_pcm16(base64.b64decode(event.audio))
        except (ValueError, AudioError) as error:
            raise ProtocolError(f"Expected PCM16 at 24 kHz in base64: {error}.", param="audio") from error
        while self._playout.waiting > AHEAD_SECONDS * RATE:
            self._room.clear()
            await self._leg.until(self._room.wait())
        self._playout.add("", "", 0, pcm)
        self._leg.wake()

    async def receive(self) -> bytes:
        """Return the next server event. Raises `ConnectionLost` when there are no more."""
        if self._events.empty():
            return await self._leg.until(self._events.get())
        return self._events.get_nowait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Hang up. Closing twice does nothing more."""
        self._finish()
        await self._leg.close(code, reason)
        if not self._leg.open:
            await self._signalling.hang_up()  # it would wait for a call that does not come about

    def _next_frame(self) -> Pcm | None:
        self._room.set()
        return self._playout.take()

    def _told(self, data: str | bytes) -> None:
        try:
            frame = Frame(data)
        except ProtocolError:
            return  # a peer that says no events says nothing
        match frame.type:
            case "response.output_item.added":
                event = frame.server_event()
                if isinstance(event, ResponseOutputItemAdded) and isinstance(event.item, MessageItem):
                    self._items[event.response_id] = (event.item.id, event.output_index)
            case "output_audio_buffer.started":
                self._finish()
                event = frame.server_event()
                if isinstance(event, OutputAudioBufferStarted):
                    self._speaking = event.response_id
            case "output_audio_buffer.stopped":
                self._finish()
                self._stopped, self._last = frame.data, 0
                self._waiting = asyncio.get_running_loop().call_later(LAST_SECONDS, self._finish)
                return
            case "output_audio_buffer.cleared":
                self._finish()
                self._forget()
        self._put(frame.data)

    def _finish(self) -> None:
        """Tell that an answer has stopped, if it has: all of it was heard."""
        if self._waiting is not None and self._stopped is not None:
            self._waiting.cancel()
            self._put(self._stopped)
            self._waiting = self._stopped = None
            self._forget()

    def _forget(self) -> None:
        self._items.pop(self._speaking or "", None)
        self._speaking = None

    def _heard(self, pcm: Pcm) -> None:
        if self._speaking is None or self._speaking not in self._items:
            return
        item_id, output_index = self._items[self._speaking]
        delta = ResponseOutputAudioDelta(
            event_id=self._ids.event(),
            response_id=self._speaking,
            item_id=item_id,
            output_index=output_index,
            content_index=0,
            delta=base64.b64encode(encode_pcm16(pcm)).decode(),
        )
        self._put(Frame.of(delta).data)
        self._last += len(pcm)
        if self._last >= LAST_SAMPLES:
            self._finish()

    def _put(self, event: bytes) -> None:
        if self._events.full():
            self._leg.end(1008, f"The client is {MOST_WAITING} events behind.")
        else:
            self._events.put_nowait(event)
