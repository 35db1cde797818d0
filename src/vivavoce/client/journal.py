"""What was sent and has not been answered: events, and speech, in the order in which they were sent. Pure.

When a connection ends, nobody knows how much of this arrived; the session that follows has none of it.
"""

import base64
import binascii
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as server
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.codec import UnknownEvent, decode_client_event, encode
from vivavoce.protocol.items import Item
from vivavoce.protocol.responses import Response, ResponseCreateParams
from vivavoce.protocol.session import AudioPcm, Session
from vivavoce.protocol.sizes import APPENDED, audio_size

__all__ = ["FRAME_MS", "KEPT_BYTES", "KEPT_EVENTS", "QUIET_MS", "Journal", "JournalState", "Speech"]

FRAME_MS = 40
"""What one ``input_audio_buffer.append`` carries of the speech that is sent again."""

QUIET_MS = 2000
"""Kept of what an endpoint hears that detects turns, while it has heard nobody: somebody may just have begun."""

KEPT_EVENTS = 512
"""Unanswered events that are remembered. A server answers all of them; one that does not must not cost memory."""

KEPT_BYTES = 2**23
"""Of unanswered events, speech aside, beyond which there is no room for more while nobody answers."""

_NOT_REPEATED = (client.ResponseCancel, client.ConversationItemTruncate, client.OutputAudioBufferClear)
"""These are about a response of the session that is gone."""


class _Chunk(NamedTuple):
    """Some audio that was sent."""

    size: int
    """Its bytes."""
    audio: bytes
    """The audio, or the event that carried it: as it went out, so that it is read only when it is needed."""
    read: bool


class Speech:
    """Audio that was sent, in the session's input format."""

    def __init__(self, start: int, audio: bytes = b"") -> None:
        self.start = start
        """Bytes that this session was sent before it."""
        self.size = 0
        """Its bytes."""
        self._chunks: deque[_Chunk] = deque()
        if audio:
            self.add(len(audio), audio, read=True)

    def add(self, size: int, audio: bytes, *, read: bool) -> None:
        """Add so many bytes behind it: the audio itself if that is ``read``, or else the event that carries it."""
        self._chunks.append(_Chunk(size, audio, read))
        self.size += size

    def drop(self, size: int) -> None:
        """Forget its first bytes."""
        size = min(size, self.size)
        self.start += size
        self.size -= size
        while size and size >= self._chunks[0].size:
            size -= self._chunks.popleft().size
        if size:
            rest = _read(self._chunks[0])[size:]
            self._chunks[0] = _Chunk(len(rest), rest, read=True)

    def shorten(self, size: int) -> None:
        """Forget of its first bytes what can be forgotten without reading any: whole chunks."""
        while size >= self._chunks[0].size:
            whole = self._chunks.popleft().size
            size -= whole
            self.start += whole
            self.size -= whole

    def take(self, size: int) -> bytes:
        """Take its first bytes out; return them."""
        taken = self.audio[:size]
        self.drop(size)
        return taken

    @property
    def audio(self) -> bytes:
        """All of it."""
        return b"".join(map(_read, self._chunks))


def _read(chunk: _Chunk) -> bytes:
    if chunk.read:
        return chunk.audio
    try:
        audio = base64.b64decode(msgspec.json.decode(chunk.audio, type=_Append).audio)
    except (msgspec.DecodeError, ValueError):
        audio = b""  # the endpoint has refused it
    return audio[: chunk.size].ljust(chunk.size, b"\0")


class _Append(msgspec.Struct):
    audio: str = ""


class JournalState(msgspec.Struct):
    """All that a `Journal` knows, for another one that is to go on with it."""

    entries: list[tuple[int, bytes]]
    """Where speech starts, and the speech; -1, and an event as JSON."""
    utterances: dict[str, bytes]
    overflown_ms: int
    speaking: str | None
    sent: int
    bytes_per_ms: int
    detects: bool
    stopped: int | None
    repeats: bool
    unheard: bool


class Journal:
    """Give it every event that is sent, and every server event.

    ``hold_ms`` of audio are kept at most, half-said and said together; what goes beyond is lost, the oldest first.
    """

    def __init__(self, hold_ms: int) -> None:
        self.utterances: dict[str, bytes] = {}
        """Speech that has become an item, by the item's id, until its words are known."""
        self.overflown_ms = 0
        """Speech of the turn that is being said which was too long to be kept."""
        self.speaking: str | None = None
        """The item that somebody's speech is becoming, as an endpoint that detects turns has noticed."""
        self._hold_ms = hold_ms
        self._entries: deque[ClientEvent | Speech] = deque()
        self._sent = 0  # bytes of audio in this session
        self._bytes_per_ms = 48
        self._detects = True
        self._stopped: int | None = None
        self._repeats = False
        self._unheard = False

    @property
    def events(self) -> list[ClientEvent]:
        """The events that nothing has answered, speech aside."""
        return [entry for entry in self._entries if not isinstance(entry, Speech)]

    @property
    def speech_ms(self) -> int:
        """How much speech has not become an item."""
        return sum(one.size for one in self._speech()) // self._bytes_per_ms

    @property
    def idle(self) -> bool:
        """Whether nothing waits for an answer, and nobody has half said something."""
        return not self.events and self.speaking is None and (self._detects or not self.speech_ms)

    @property
    def room(self) -> bool:
        """Whether one more event can be remembered."""
        return len(self._entries) < KEPT_EVENTS and sum(len(encode(one)) for one in self.events) < KEPT_BYTES

    def state(self) -> JournalState:
        """Return all of it."""
        return JournalState(
            entries=[
                (entry.start, entry.audio) if isinstance(entry, Speech) else (-1, encode(entry))
                for entry in self._entries
            ],
            utterances=dict(self.utterances),
            overflown_ms=self.overflown_ms,
            speaking=self.speaking,
            sent=self._sent,
            bytes_per_ms=self._bytes_per_ms,
            detects=self._detects,
            stopped=self._stopped,
            repeats=self._repeats,
            unheard=self._unheard,
        )

    def load(self, state: JournalState) -> None:
        """Go on where another one was."""
        self._entries = deque(
            decode_client_event(data) if start < 0 else Speech(start, data) for start, data in state.entries
        )
        self.utterances = dict(state.utterances)
        self.overflown_ms, self.speaking = state.overflown_ms, state.speaking
        self._sent, self._stopped = state.sent, state.stopped
        self._bytes_per_ms, self._detects = state.bytes_per_ms, state.detects
        self._repeats, self._unheard = state.repeats, state.unheard

    def sent(self, event: ClientEvent) -> None:
        """Note that an event goes out."""
        match event:
            case client.InputAudioBufferAppend(audio=audio):
                self._hear_encoded(audio)
            case client.InputAudioBufferClear():
                while self._entries and isinstance(self._entries[-1], Speech):
                    self._entries.pop()
                self.speaking = None
                self._add(event)
            case _ if not isinstance(event, _NOT_REPEATED):
                self._add(event)

    def configure(self, session: Session) -> None:
        """Take what the session is."""
        heard = session.audio.input
        self._bytes_per_ms = 48 if isinstance(heard.format, AudioPcm) else 8
        self._detects = heard.turn_detection is not None

    def fold(self, event: server.ServerEvent | UnknownEvent) -> ClientEvent | None:
        """Take a server event; return what it answers, if it is an answer."""
        match event:
            case server.SessionCreated(session=session):
                self.configure(session)
            case server.SessionUpdated(session=session):
                self.configure(session)
                return self._answered(client.SessionUpdate)
            case server.ConversationItemAdded(item=item) | server.ConversationItemCreated(item=item):
                return self._created(item)
            case server.ConversationItemDeleted(item_id=item_id):
                self.utterances.pop(item_id, None)
                return self._answered(client.ConversationItemDelete, item_id)
            case server.ConversationItemRetrieved(item=item):
                return self._answered(client.ConversationItemRetrieve, item.id)
            case server.ResponseCreated(response=response):
                return self._begun(response)
            case server.ErrorEvent(error=error) if error.event_id is not None:
                return self._remove(lambda entry: entry.event_id == error.event_id)
            case _:
                return self._fold_speech(event)
        return None

    def interrupted(self, again: Sequence[ClientEvent]) -> None:
        """Take word that nobody listens now, and what is to be asked ``again``: what came of it is gone."""
        self._unheard = True
        self._entries.extendleft(reversed(again))

    def again(self) -> list[ClientEvent]:
        """Return everything that is to be sent again, in a session that has heard nothing yet."""
        events: list[ClientEvent] = []
        if self._is_silence:
            self._drop_until(self._sent - QUIET_MS * self._bytes_per_ms)
        self._limit()
        self._sent, self._stopped, self.speaking, self._unheard = 0, None, None, False
        frame = FRAME_MS * self._bytes_per_ms
        for entry in self._entries:
            if not isinstance(entry, Speech):
                events.append(entry)
                continue
            entry.start = self._sent
            self._sent += entry.size
            said = entry.audio
            for start in range(0, len(said), frame):
                audio = base64.b64encode(said[start : start + frame]).decode()
                events.append(client.InputAudioBufferAppend(audio=audio))
        return events

    def forget(self) -> None:
        """Forget what was not answered."""
        self._entries.clear()
        self.utterances.clear()
        self._sent, self._stopped, self.speaking, self._unheard = 0, None, None, False

    # Speech.

    def _hear_encoded(self, encoded: str) -> None:
        try:
            audio = base64.b64decode(encoded)
        except (binascii.Error, ValueError):
            return  # the endpoint refuses it
        self._hear(len(audio), audio, read=True)

    def sent_sound(self, event: bytes) -> None:
        """Note that an ``input_audio_buffer.append`` goes out, as it is written."""
        self._hear(audio_size(event, APPENDED), event, read=False)

    def _hear(self, size: int, audio: bytes, *, read: bool) -> None:
        last = self._entries[-1] if self._entries else None
        if not isinstance(last, Speech):
            last = Speech(self._sent)
            self._entries.append(last)
        last.add(size, audio, read=read)
        self._sent += size
        surplus = last.size - QUIET_MS * self._bytes_per_ms
        if surplus > 0:
            if self._is_silence:
                last.shorten(surplus)
            else:
                self._limit()

    @property
    def _is_silence(self) -> bool:
        """Whether what was sent last is nobody's speech, as far as is known."""
        return self._detects and self.speaking is None and not self._unheard and not self.events

    def _fold_speech(self, event: server.ServerEvent | UnknownEvent) -> ClientEvent | None:
        match event:
            case server.InputAudioBufferSpeechStarted(item_id=item_id, audio_start_ms=start):
                self.speaking, self._stopped = item_id, None
                self._drop_until(start * self._bytes_per_ms)
            case server.InputAudioBufferSpeechStopped(audio_end_ms=end):
                self._stopped = end * self._bytes_per_ms
            case server.InputAudioBufferTimeoutTriggered():
                self._stopped = self._sent
            case server.InputAudioBufferCommitted(item_id=item_id):
                return self._committed(item_id)
            case server.InputAudioBufferCleared():
                self.speaking = None
                return self._answered(client.InputAudioBufferClear)
            case server.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id):
                self.utterances.pop(item_id, None)
        return None

    def _committed(self, item_id: str) -> ClientEvent | None:
        """Make an utterance of what was heard: up to a commit, or up to where the turn was detected to end."""
        commit = next((one for one in self.events if isinstance(one, client.InputAudioBufferCommit)), None)
        if commit is not None:
            entries = list(self._entries)
            before, after = entries[: entries.index(commit)], entries[entries.index(commit) + 1 :]
            said = b"".join(one.audio for one in before if isinstance(one, Speech))
            self._entries = deque([*(one for one in before if not isinstance(one, Speech)), *after])
        else:
            said = self._take_until(self._sent if self._stopped is None else self._stopped)
        self.utterances[item_id] = said
        self.speaking, self._stopped = None, None
        self._limit()
        return commit

    def _take_until(self, position: int) -> bytes:
        """Take the speech up to a position out; return it."""
        taken = b"".join(one.take(max(0, position - one.start)) for one in self._speech())
        self._drop_until(position)
        return taken

    def _drop_until(self, position: int) -> None:
        """Forget the speech up to a position."""
        for one in self._speech():
            one.drop(max(0, position - one.start))
        if any(not one.size for one in self._speech()):
            self._entries = deque(one for one in self._entries if not isinstance(one, Speech) or one.size)

    def _limit(self) -> None:
        most = self._hold_ms * self._bytes_per_ms
        speech = self._speech()
        held = sum(one.size for one in speech)
        while self.utterances and held + sum(map(len, self.utterances.values())) > most:
            del self.utterances[next(iter(self.utterances))]
        for one in speech:
            surplus = min(held - most, one.size)
            if surplus <= 0:
                break
            one.drop(surplus)
            held -= surplus
            self.overflown_ms += surplus // self._bytes_per_ms

    def _speech(self) -> list[Speech]:
        return [entry for entry in self._entries if isinstance(entry, Speech)]

    # Answers.

    def _add(self, event: ClientEvent) -> None:
        self._entries.append(event)
        if len(self._entries) > KEPT_EVENTS:
            self._entries.popleft()

    def _created(self, item: Item) -> ClientEvent | None:
        """An item answers the event that has its id, or has none: a server gives one to those in order."""
        found = self._remove(
            lambda entry: isinstance(entry, client.ConversationItemCreate) and entry.item.id == item.id
        )
        if found is not None or getattr(item, "status", None) == "in_progress":
            return found
        return self._remove(
            lambda entry: (
                isinstance(entry, client.ConversationItemCreate)
                and not entry.item.id
                and entry.item.type == item.type
                and getattr(entry.item, "role", None) == getattr(item, "role", None)
            )
        )

    def _begun(self, response: Response) -> ClientEvent | None:
        """A response answers the request whose metadata it repeats, or else the first one of its kind."""
        self._repeats |= response.metadata is not None
        requests = [one for one in self.events if isinstance(one, client.ResponseCreate)]
        own = [one for one in requests if response.metadata and _metadata(one) == response.metadata]
        kind = [
            one
            for one in requests
            if _out_of_band(one) == (response.conversation_id is None)
            and not (self._repeats and _metadata(one))  # the endpoint would have repeated it
        ]
        found = next(iter((*own, *kind)), None)
        return self._remove(lambda entry: entry is found)

    def _answered(self, kind: type[ClientEvent], item_id: str | None = None) -> ClientEvent | None:
        """Remove the first event of a type, about an item if one is named; return it."""
        return self._remove(
            lambda entry: (
                isinstance(entry, kind) and (item_id is None or getattr(entry, "item_id", None) == item_id)
            )
        )

    def _remove(self, fits: Callable[[ClientEvent], bool]) -> ClientEvent | None:
        for entry in self._entries:
            if not isinstance(entry, Speech) and fits(entry):
                self._entries.remove(entry)
                return entry
        return None


def _out_of_band(request: client.ResponseCreate) -> bool:
    params = request.response
    return isinstance(params, ResponseCreateParams) and params.conversation == "none"


def _metadata(request: client.ResponseCreate) -> dict[str, str] | None:
    params = request.response
    return (params.metadata or None) if isinstance(params, ResponseCreateParams) else None
