"""Call an endpoint: a transport for `vivavoce.RealtimeClient` whose speech travels as media.

::

    from vivavoce.webrtc.peer import PeerTransport

    async with RealtimeClient(transport=lambda: PeerTransport.connect(url, api_key=key)) as client:
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
import msgspec
from aiohttp import hdrs

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

__all__ = ["PeerTransport"]

LOOK_SECONDS = 4.0
"""From one question whether the endpoint is still there to the next. Its silence for three seconds and a half is a
broken way, and it ends the call after some half a minute."""

AHEAD_SECONDS = 2.0
"""Speech that may wait to be sent: who sends a file as fast as it can waits."""

ASK_SECONDS = 10.0
"""How long the endpoint has for the answer to an offer of another way."""

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

    def __init__(self, ice_servers: Sequence[IceServer] = ()) -> None:
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
        self.call_id = ""
        """The endpoint's name of the call, for a sideband."""

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
        call = cls(ice_servers)
        own = http or aiohttp.ClientSession()
        try:
            answer = await call._ask(own, url.rstrip("/"), await call._leg.offer(), api_key, session)
            await call._leg.accept(answer)
        except BaseException:
            await call._leg.close()
            raise
        finally:
            if http is None:
                await own.close()
        call._leg.spawn(call._mend(url.rstrip("/"), api_key, http))
        return call

    async def _mend(self, url: str, api_key: str | None, http: aiohttp.ClientSession | None) -> None:
        """Look for another way whenever the one to the endpoint is broken, unless the endpoint knows none.

        The leg finds out by itself when it is too late.
        """

        async def exchange(offer: str) -> str:
            if http is not None and not http.closed:
                return await self._ask_again(http, url, offer, api_key)
            async with aiohttp.ClientSession() as own:
                return await self._ask_again(own, url, offer, api_key)

        await self._leg.opened()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if not await self._leg.answers():
                    await self._leg.restart(exchange)
            except ConnectionFailed as refused:
                if refused.status is not None and refused.status < 500:
                    return
            except (aiohttp.ClientError, TimeoutError, ProtocolError) as error:
                _log.debug("another way could not be had: %s", error)

    async def _ask_again(self, http: aiohttp.ClientSession, url: str, offer: str, api_key: str | None) -> str:
        headers = {hdrs.CONTENT_TYPE: "application/sdp"}
        if api_key:
            headers[hdrs.AUTHORIZATION] = f"Bearer {api_key}"
        address, timeout = f"{url}/realtime/calls/{self.call_id}", aiohttp.ClientTimeout(total=ASK_SECONDS)
        async with http.patch(address, data=offer, headers=headers, timeout=timeout) as response:
            text = await response.text()
            if response.status != 200:
                raise ConnectionFailed(f"{url} gave no other way: {text[:500]}", status=response.status)
            return text

    async def _ask(
        self,
        http: aiohttp.ClientSession,
        url: str,
        offer: str,
        api_key: str | None,
        session: RealtimeSessionParams | None,
    ) -> str:
        headers = {hdrs.AUTHORIZATION: f"Bearer {api_key}"} if api_key else {}
        data: aiohttp.FormData | str = offer
        if session is not None:
            data = aiohttp.FormData()
            data.add_field("sdp", offer, content_type="application/sdp")
            data.add_field("session", msgspec.json.encode(session).decode(), content_type="application/json")
        else:
            headers[hdrs.CONTENT_TYPE] = "application/sdp"
        try:
            async with http.post(f"{url}/realtime/calls", data=data, headers=headers) as response:
                text = await response.text()
                if response.status != 201:
                    raise ConnectionFailed(
                        f"{url} refused the call with status {response.status}: {text[:500]}",
                        status=response.status,
                    )
                self.call_id = response.headers.get(hdrs.LOCATION, "").rstrip("/").rpartition("/")[2]
                return text
        except aiohttp.ClientError as error:
            raise ConnectionFailed(f"Cannot reach {url}: {error}.") from error

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
