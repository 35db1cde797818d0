"""Sessions that outlive those of the endpoint: renewed before its cap and restored after a drop, unseen by the client.

What is to be done is known to the client's own `Line` and `Continuity`; this gives them the events of one session that
is relayed. Events go to the client byte for byte as they came. What it is told beyond them is only how a response ended
that a drop cut off.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from vivavoce.client.continuity import Continuity, ContinuityState, Interruption
from vivavoce.client.conversation import Conversation
from vivavoce.client.line import Line, Owner
from vivavoce.client.notices import Loss, Notice
from vivavoce.client.outbox import Outbox
from vivavoce.client.retrying import Reconnect
from vivavoce.client.tasks import Tasks
from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.gateway.upstream import Status, Taker, Transport, Upstream, direct
from vivavoce.protocol.client_events import ClientEvent, ConversationItemCreate, InputAudioBufferAppend
from vivavoce.protocol.codec import UnknownEvent, decode_client_event, encode
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import (
    DELTAS,
    ErrorEvent,
    ResponseOutputAudioDelta,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
)
from vivavoce.protocol.session import AudioPcm, RealtimeSession, Session
from vivavoce.protocol.session_params import SessionParams
from vivavoce.protocol.sizes import SPOKEN, field_size, item_of

__all__ = ["EnduringState", "EnduringTransport", "EnduringUpstream"]

_log = logging.getLogger(__name__)
_IDS = Ids()

MOST_UNREAD, MOST_UNREAD_BYTES = 32, 2**19
"""Events, and bytes of them, that wait for the client before the endpoint is not read any more."""

MOST_UNSENT = 8
"""Events of the client that wait for the endpoint before the client has to; each may be large."""

MOST_ITEMS = 1000
"""Items of a conversation that are kept, to be restored; the last."""

_APPEND: Final = "input_audio_buffer.append"
_AUDIO: Final = "response.output_audio.delta"

PCM_BYTES, TELEPHONE_BYTES = 48_000, 8_000
"""Of a second of sound."""


class EnduringState(msgspec.Struct):
    """All that is to be known of a session to go on with it in another process."""

    thread: ContinuityState
    unsent: list[bytes]
    """Client events that have not gone out."""
    unread: list[bytes]
    """Server events that the client has not been told."""


class EnduringUpstream:
    """``upstream``, whose sessions go on in another of its sessions when they end before their clients."""

    def __init__(self, upstream: Upstream, policy: Reconnect) -> None:
        self._upstream = upstream
        self._policy = policy
        self.start = upstream.start
        self.reach = upstream.reach
        self.describe = upstream.describe
        self.close = upstream.close

    @property
    def status(self) -> Status:
        """How the upstream is."""
        return self._upstream.status

    @property
    def capacity(self) -> int | None:
        """How many sessions it holds at once."""
        return self._upstream.capacity

    async def connect(self, model: str, params: SessionParams, *, call_id: str | None = None) -> Transport:
        """Open a session; one that controls a call lives no longer than its line. Raises `ConnectionFailed`."""
        if call_id is not None:
            return await self._upstream.connect(model, params, call_id=call_id)
        transport = EnduringTransport(lambda: self._upstream.connect(model, params), self._policy)
        await transport.open()
        return transport

    async def restore(self, model: str, params: SessionParams, state: EnduringState) -> "EnduringTransport":
        """Go on with a session of another process. Raises `ConnectionFailed`."""
        transport = EnduringTransport(lambda: self._upstream.connect(model, params), self._policy)
        await transport.restore(state)
        return transport


class _Tap:
    """One connection, of which the last event can be had as it came. It is read while there is ``room``."""

    def __init__(self, transport: Transport, room: asyncio.Event, heard: Callable[["_Tap"], None]) -> None:
        self._transport = transport
        self._room = room
        self._heard = heard
        self.latest = b""
        self.send = transport.send
        self.close = transport.close
        self.direct = direct(transport)

    async def receive(self) -> bytes:
        await self._room.wait()
        data = await self._transport.receive()
        self.latest = data.encode() if isinstance(data, str) else data
        self._heard(self)
        return self.latest


class EnduringTransport:
    """A session over as many connections as it takes; ``connect`` opens one."""

    def __init__(self, connect: Callable[[], Awaitable[Transport]], policy: Reconnect) -> None:
        self._connect = connect
        self._tasks = Tasks()
        self._conversation = Conversation(keep_items=MOST_ITEMS)
        self._thread = Continuity(self._conversation, hold=policy.hold)
        self._line = Line(
            self._dial,
            self._tasks,
            Outbox(MOST_UNSENT),
            Owner(self._take, self._interrupted, self._resumed, self._tell, self._calm, self._end),
            continuity=self._thread,
            policy=policy,
        )
        self._tap: _Tap | None = None
        """The connection that was heard of last."""
        self._unread: deque[bytes] = deque()
        self._unread_bytes = 0
        self._lost: ConnectionLost | None = None
        self._news = asyncio.Event()
        self._awaited = False
        self._taker: Taker | None = None
        self._room = asyncio.Event()
        self._room.set()
        self.progress = asyncio.Event()
        """Set whenever something has happened beyond sound and words on their way."""
        self.lost: list[Loss] = []
        """What could not be restored of a session of another process, as far as that was known at once."""
        self._sounds_until = 0.0
        self._bytes_per_second = PCM_BYTES

    async def open(self) -> None:
        """Open the first connection. Raises `ConnectionFailed`."""
        await self._line.open()

    async def restore(self, state: EnduringState) -> None:
        """Open the first connection, and go on in it with a session of another process. Raises `ConnectionFailed`."""
        self._thread.load(state.thread)
        for unread in state.unread:
            self._give(unread)
        _log.info("a session of another process goes on here")
        restoration = await self._line.open(ConnectionLost(1006, "its process is gone"))
        self.lost = [] if restoration is None else list(restoration.lost)
        self._line.outbox.put_behind(*map(decode_client_event, state.unsent))

    @property
    def state(self) -> EnduringState:
        """All that is to be known to go on. It shares what it is made of: it is to be written at once."""
        return EnduringState(
            self._thread.state(), [encode(event) for event in self._line.outbox.waiting], list(self._unread)
        )

    async def send(self, data: str | bytes) -> None:
        """Send one client event; while there is no connection, it waits for the next."""
        try:
            event = decode_client_event(data)
        except ProtocolError as error:
            await self._send_unknown(data, error)
        else:
            await self._line.outbox.put(_named(event))
            if not isinstance(event, InputAudioBufferAppend):
                self.progress.set()

    async def receive(self) -> str | bytes:
        """Return the next server event."""
        while not self._unread:
            if self._lost is not None:
                raise self._lost
            self._news.clear()
            self._awaited = True
            try:
                await self._news.wait()
            finally:
                self._awaited = False
        event = self._unread.popleft()
        self._unread_bytes -= len(event)
        if self._has_room:
            self._room.set()
        return event

    async def close(self, code: int = 1000, reason: str = "") -> None:  # noqa: ARG002 - each line has its own end
        """End the session."""
        await self._line.close()
        await self._tasks.cancel()

    # The short cut.

    @property
    def direct(self) -> "EnduringTransport":
        """Itself; whether the present connection has a short cut turns out as it is used."""
        return self

    def send_now(self, data: bytes, kind: str) -> bool:
        """Send a chunk of sound, if nothing is in its way; tell whether it was sent."""
        transport = self._line.free if kind == _APPEND else None
        short = direct(transport) if transport is not None else None
        if short is None or not short.send_now(data, kind):
            return False
        self._thread.sent_sound(data)
        return True

    def give_to(self, taker: Taker | None) -> None:
        """Offer sound that comes while somebody waits in `receive` to ``taker``; None ends that."""
        self._taker = taker

    def _hand_on(self, data: bytes, kind: str) -> bool:
        """Give more of what sounds already to the taker, once all before it is received; tell whether it took it."""
        if kind != _AUDIO or self._taker is None or self._unread or not self._awaited:
            return False
        item_id = item_of(data)
        if not self._thread.sounds(item_id) or not self._taker(data, kind):
            return False
        letters = field_size(data, SPOKEN)
        self._thread.heard_sound(item_id, letters)
        self._sound(letters)
        return True

    async def _dial(self) -> _Tap:
        tap = _Tap(await self._connect(), self._room, self._listen)
        if tap.direct is not None:
            tap.direct.give_to(self._hand_on)
        return tap

    def _listen(self, tap: _Tap) -> None:
        self._tap = tap

    async def _send_unknown(self, data: str | bytes, error: ProtocolError) -> None:
        """Let the endpoint say what it thinks of an event that we do not know, if it is there to be asked."""
        if self._line.up and self._tap is not None:
            await self._tap.send(data)
        else:
            self._tell_client(ErrorEvent.of(error))

    # What the line tells.

    def _take(self, event: ServerEvent | UnknownEvent) -> None:
        self._conversation.fold(event)
        if type(event) not in DELTAS:
            self.progress.set()
        match event:
            case ResponseOutputAudioDelta(delta=delta):
                self._sound(len(delta))
            case SessionCreated(session=session) | SessionUpdated(session=session):
                self._configure(session)
        if self._tap is not None:
            self._give(self._tap.latest)

    def _sound(self, letters: int) -> None:
        now = asyncio.get_running_loop().time()
        self._sounds_until = max(now, self._sounds_until) + letters * 3 / 4 / self._bytes_per_second

    def _interrupted(self, lost: ConnectionLost, interruption: Interruption | None) -> None:
        if self._tap is not None:
            _log.warning("a session lost its endpoint, and is to be restored: %s", lost)
        self.progress.set()
        for event in interruption.events if interruption is not None else ():
            self._conversation.fold(event)
            self._tell_client(event)

    def _resumed(self, event: SessionCreated | SessionUpdated) -> None:
        self._conversation.fold(event)
        self._configure(event.session)

    def _tell(self, notice: Notice) -> None:
        _log.info("%s", notice)

    def _calm(self) -> bool:
        """Tell whether what was sent has been heard, were it played as it came: until then it may be cut short."""
        return asyncio.get_running_loop().time() >= self._sounds_until

    def _end(self, lost: ConnectionLost) -> None:
        self._lost = lost
        self._news.set()

    def _tell_client(self, event: ServerEvent) -> None:
        self._give(encode(msgspec.structs.replace(event, event_id=_IDS.event())))

    def _configure(self, session: Session) -> None:
        if isinstance(session, RealtimeSession):
            pcm = isinstance(session.audio.output.format, AudioPcm)
            self._bytes_per_second = PCM_BYTES if pcm else TELEPHONE_BYTES

    def _give(self, event: bytes) -> None:
        self._unread.append(event)
        self._unread_bytes += len(event)
        if not self._has_room:
            self._room.clear()
        self._news.set()

    @property
    def _has_room(self) -> bool:
        return len(self._unread) < MOST_UNREAD and self._unread_bytes < MOST_UNREAD_BYTES


def _named(event: ClientEvent) -> ClientEvent:
    """Give an event, and an item that it adds, an id, if they have none: by it an answer is known to be one."""
    if isinstance(event, ConversationItemCreate) and not event.item.id:
        event = msgspec.structs.replace(event, item=msgspec.structs.replace(event.item, id=_IDS.item()))
    return event if event.event_id else msgspec.structs.replace(event, event_id=_IDS.event())
