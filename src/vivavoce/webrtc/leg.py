"""A peer: its speech, and its data channel.

A leg connects, carries and ends; what it carries is for others to know. It ends by itself when the peer says so, when
the connection does not come about within `CONNECT_SECONDS`, and when the peer is not heard of any more, which ICE
finds after some half a minute: a shorter cut is survived.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack

from vivavoce.audio.pcm import Pcm
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from vivavoce.webrtc.media import Hearing, NextFrame, SpokenTrack, hear
from vivavoce.webrtc.reorder import reorder
from vivavoce.webrtc.restart import Restarts
from vivavoce.webrtc.unfinished import bound
from vivavoce.webrtc.way import ice_transports, shut

__all__ = ["CHANNEL", "CONNECT_SECONDS", "IceServer", "Leg", "advertised"]

CHANNEL = "oai-events"
"""The label of the data channel that events travel on."""

ANSWER_SECONDS = 10.0
"""To find the addresses of both sides: names of the peer's network are looked up, and STUN servers asked."""

CONNECT_SECONDS = 30.0
"""From the answer to an open data channel, or to speech alone; who needs longer has gone."""

MOST_SDP_CHARACTERS = 65_536
"""Chromium's offer for one voice has some 3,000."""

MOST_SECTIONS = 8
"""Media sections of an offer; a voice and a data channel are two."""

CLOSE_SECONDS = 5.0

SEND_BUFFER = 2**20
"""Bytes that may wait for a peer that reads slowly."""

SEND_SECONDS = 10.0
"""How long such a peer may take."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IceServer:
    """A server that helps peers to find each other (``stun:``) or passes their packets on (``turn:``)."""

    url: str
    username: str | None = None
    credential: str | None = None


class Leg:
    """One peer. ``heard`` is given its speech at 24 kHz, ``told`` each message of its data channel.

    ``pauses`` says whether silence is heard while the peer sends nothing, since it has nothing to say.
    """

    def __init__(
        self,
        next_frame: NextFrame,
        heard: Callable[[Pcm], None],
        told: Callable[[str | bytes], None],
        *,
        ice_servers: Sequence[IceServer] = (),
        pauses: bool = True,
    ) -> None:
        self._heard, self._told, self._pauses = heard, told, pauses
        servers = [RTCIceServer(one.url, one.username, one.credential) for one in ice_servers]
        configuration = RTCConfiguration(iceServers=servers)
        self._peer = RTCPeerConnection(configuration)
        self._restarts = Restarts(self._peer, configuration)
        self._speech = SpokenTrack(next_frame)
        self._hearing = Hearing(heard, pauses=pauses)
        self._channel: RTCDataChannel | None = None
        self._mute = False
        """Whether the peer has offered speech alone: it is told nothing, and has nothing to say."""
        self._closed = False
        self._open = asyncio.Event()
        self._drained = asyncio.Event()
        self._ended: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._peer.on("track", self._on_track)
        self._peer.on("datachannel", self._on_channel)
        self._peer.on("connectionstatechange", self._on_state)

    async def offer(self) -> str:
        """Offer a call, and return the offer as SDP; `accept` takes the answer to it."""
        self._peer.addTrack(self._speech)
        self._on_channel(self._peer.createDataChannel(CHANNEL))
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return _corrected(str(self._peer.localDescription.sdp))

    async def accept(self, answer: str) -> None:
        """Take the answer to the offer. Raises `ConnectionFailed` for one that is none."""
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:
            await self.close()
            raise ConnectionFailed(f"The endpoint's answer is no SDP that can be used: {error}") from error
        self._speech.opus, self._hearing.opus = _is_opus(answer), _opus_types(answer)
        self._restarts.begin(str(self._peer.localDescription.sdp), answer)
        self._expect_peer()

    async def answer(self, offer: str) -> str:
        """Take a peer's offer, and return the answer to it, both as SDP.

        An offer of speech alone makes a call without events: whoever began it controls it from elsewhere. Raises
        `ProtocolError` for an offer that is none, or has no audio.
        """
        self._mute = "m=application" not in _check(offer)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._peer.setRemoteDescription(RTCSessionDescription(_without_end(offer), "offer"))
                self._offer_speech()
                await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as error:
            await self.close()
            raise _no_offer(f"{type(error).__name__}: {error}") from error
        answer = str(self._peer.localDescription.sdp)
        self._speech.opus, self._hearing.opus = _is_opus(answer), _opus_types(answer)
        self._restarts.begin(answer, offer)
        self._expect_peer()
        return _corrected(answer)

    async def restart(self, exchange: Callable[[str], Awaitable[str]]) -> bool:
        """Offer the peer another way to this side, and return whether the call goes there now; see `Restarts.offer`."""
        return await self._restarts.offer(exchange)

    async def answer_restart(self, offer: str, over: Callable[[bool], None] = lambda _: None) -> str:
        """Return the answer to a peer's offer of another way; see `Restarts.answer`."""
        _check(offer)
        return await self._restarts.answer(offer, over)

    async def answers(self) -> bool:
        """Ask the peer whether it is still there, and return whether it says so."""
        return await self._restarts.answers()

    def _offer_speech(self) -> None:
        """Speak in the first audio section that takes it, and leave video alone."""
        spoken = False
        for section in self._peer.getTransceivers():
            if section.kind == "audio" and not spoken:
                section.sender.replaceTrack(self._speech)
                section.direction = "sendrecv"
                spoken = True
            else:
                section.direction = "inactive"

    def wake(self) -> None:
        """Ask for what is to be played, after there was nothing."""
        self._speech.wake()

    async def send(self, data: str | bytes) -> None:
        """Send a message on the data channel, as soon as it is open; to nobody where the peer has offered none.

        Raises `ConnectionLost`, and `ProtocolError` for one that is larger than the peer takes.
        """
        text = data if isinstance(data, str) else data.decode()
        await self.until(self._open.wait())
        if (channel := self._channel) is None:
            return
        while channel.bufferedAmount > SEND_BUFFER:
            self._drained.clear()
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self.until(self._drained.wait())
            except TimeoutError:
                self.end(1008, f"The peer has not read for {SEND_SECONDS:g} seconds.")
        if self._ended.done():
            raise self._ended.result()
        try:
            channel.send(text)
        except ValueError as error:  # the peer has said how much it takes, which only aiortc knows
            raise ProtocolError(
                f"The event is too large for this call: {error}.", code="message_too_large"
            ) from error

    async def opened(self) -> None:
        """Wait until messages can be sent, or speech where there are none."""
        await self._open.wait()

    @property
    def open(self) -> bool:
        """Whether messages can be sent, or could be: the call came about."""
        return self._open.is_set()

    async def ended(self) -> ConnectionLost:
        """Wait for the end, and return why."""
        return await asyncio.shield(self._ended)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the call, and let go of everything. Closing twice does nothing more."""
        self.end(code, reason)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._restarts.close()
        self._speech.stop()
        if not self._closed:
            self._closed = True  # a second close would wait for ever where the first one failed
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._peer.close()
            except Exception as error:  # noqa: BLE001 - an offer that was half taken breaks aiortc anywhere
                _log.debug("a peer could not be closed in order: %r", error)
                await self._let_go()

    async def _let_go(self) -> None:
        """Free what is left of a peer that cannot be closed: its sockets, and who waits for them."""
        for transport in ice_transports(self._peer):
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await shut(transport)

    def _expect_peer(self) -> None:
        if self._peer.sctp is not None:
            bound(self._peer.sctp, lambda: self.end(1009, "The peer does not finish what it sends."))
        self.spawn(self._wait_for_peer())

    async def _wait_for_peer(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._open.wait()
        except TimeoutError:
            self.end(1006, f"The call did not come about within {CONNECT_SECONDS:g} s.")

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            for section in self._peer.getTransceivers():
                if section.receiver.track is track:
                    reorder(section.receiver, self._hearing.take)
            self.spawn(hear(track, self._heard, pauses=self._pauses))
            self.spawn(self._hearing.listen())

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL or self._channel is not None:
            return
        self._channel = channel
        channel.bufferedAmountLowThreshold = SEND_BUFFER // 2
        channel.on("message", self._told)
        channel.on("bufferedamountlow", self._drained.set)
        channel.on("close", lambda: self.end(1000, "The peer has closed its data channel."))
        channel.on("open", self._open.set)
        if channel.readyState == "open":
            self._open.set()

    def _on_state(self) -> None:
        state = self._peer.connectionState
        _log.debug("a call is %s", state)
        if state == "connected" and self._mute:
            self._open.set()
        if state in {"failed", "closed"}:
            self.end(1006, f"The connection to the peer has {state}.")

    def end(self, code: int, reason: str = "") -> None:
        """Say that it is over, and why; `close` lets go of it."""
        if not self._ended.done():
            self._ended.set_result(ConnectionLost(code, reason))

    async def until(self, event: Coroutine[Any, Any, T]) -> T:
        """Wait for something, unless the call ends first: then raise why."""
        waiting = asyncio.ensure_future(event)
        either: list[asyncio.Future[Any]] = [waiting, self._ended]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
        raise self._ended.result()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something while the call lasts."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._check)

    def _check(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a call failed", exc_info=error)
            self.end(1011, "The call failed; this is a defect of this side.")


def advertised(sdp: str, address: str) -> str:
    """Return an SDP whose host candidates have another address: that of a server behind a NAT that maps its ports."""
    return "".join(_advertised(line, address) for line in sdp.splitlines(keepends=True))


def _advertised(line: str, address: str) -> str:
    fields = line.split(" ")
    if line.startswith("a=candidate:") and len(fields) > 7 and fields[7].strip() == "host":
        fields[4] = address
    return " ".join(fields)


def _is_opus(answer: str) -> bool:
    """Tell whether the peers speak Opus: what an answer names first is spoken (RFC 3264, 7)."""
    spoken = re.search(r"^m=audio \d+ \S+ (\d+)", answer, re.MULTILINE)
    return spoken is not None and int(spoken[1]) in _opus_types(answer)


def _opus_types(answer: str) -> frozenset[int]:
    """Return the payload types that are Opus. Both sides name them as the offer did (RFC 3264, 6.1)."""
    return frozenset(map(int, re.findall(r"^a=rtpmap:(\d+) opus/", answer, re.MULTILINE | re.IGNORECASE)))


def _without_end(offer: str) -> str:
    """Return an offer of which aioice waits for a peer that it does not find, until that one finds it (RFC 8863)."""
    return re.sub(r"^a=end-of-candidates\r?\n", "", offer, flags=re.MULTILINE)


def _corrected(sdp: str) -> str:
    """Return an SDP that asks for Opus with error correction, which aiortc does not ask for (RFC 7587, 6.1)."""
    asking = r"\g<0>a=fmtp:\1 minptime=10;useinbandfec=1\r\n"
    return re.sub(r"^a=rtpmap:(\d+) opus/.*\r\n(?!a=fmtp:)", asking, sdp, flags=re.MULTILINE)


def _check(offer: str) -> list[str]:
    """Return the kinds of an offer's media sections."""
    if len(offer) > MOST_SDP_CHARACTERS:
        raise _no_offer(f"expected at most {MOST_SDP_CHARACTERS} characters, got {len(offer)}")
    sections = [line.split(" ")[0] for line in offer.splitlines() if line.startswith("m=")]
    if "m=audio" not in sections:
        raise _no_offer(f"expected a section m=audio, got {', '.join(sections) or 'none'}")
    if len(sections) > MOST_SECTIONS:
        raise _no_offer(f"expected at most {MOST_SECTIONS} media sections, got {len(sections)}")
    named = re.findall(r"^a=mid:(\S+)", offer, re.MULTILINE)
    for first in re.findall(r"^a=group:BUNDLE (\S+)", offer, re.MULTILINE):
        if first not in named:  # aiortc would find no way for the sections behind it
            raise _no_offer(f"expected BUNDLE to begin with a section, got {first[:40]}")
    return sections


def _no_offer(why: str) -> ProtocolError:
    return ProtocolError(
        f"This is no SDP offer that can be answered: {why}.", code="invalid_offer", param="sdp"
    )
