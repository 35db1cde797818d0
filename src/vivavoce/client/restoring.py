"""What makes a new session of an old one: events that set it up, and how it answers them. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vivavoce.client.conversation import Conversation, ConversationItem, Part
from vivavoce.client.notices import Loss
from vivavoce.protocol import items
from vivavoce.protocol import server_events as server
from vivavoce.protocol.client_events import (
    ClientEvent,
    ConversationItemCreate,
    InputAudioBufferAppend,
    SessionUpdate,
)
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.session_params import (
    RealtimeSessionParams,
    SessionParams,
    TranscriptionSessionParams,
)

__all__ = ["Configuration", "Restoration", "restored_items", "words_heard"]

CONFIGURATION = "restore_session"
"""The ``event_id`` of the update that configures the new session."""


class Configuration:
    """What was set of a session: all accepted ``session.update`` events in one."""

    def __init__(self) -> None:
        self._set: dict[str, Any] = {}

    def add(self, params: SessionParams) -> None:
        """Note what was set; a later value takes the place of an earlier one."""
        _merge(self._set, msgspec.to_builtins(params))

    @property
    def fields(self) -> dict[str, Any]:
        """All of it, as it is on the wire."""
        return self._set

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Configuration":
        """Return what has these `fields`."""
        configuration = cls()
        configuration._set = fields
        return configuration

    @property
    def params(self) -> SessionParams | None:
        """All of it; None where nothing was ever set. The model is not: it is named where a session is opened."""
        if not self._set:
            return None
        asked = {name: value for name, value in self._set.items() if name != "model"}
        if asked["type"] == "transcription":
            return msgspec.convert(asked, TranscriptionSessionParams)
        return msgspec.convert(asked, RealtimeSessionParams)


_NESTED = ("audio", "input", "output")
"""The objects of a session whose fields are set one by one; all others are set as a whole."""


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if name in _NESTED and isinstance(value, dict):
            if not isinstance(into.get(name), dict):
                into[name] = {}
            _merge(into[name], value)
        else:
            into[name] = value


def words_heard(text: str, share: float) -> str:
    """Return the words that were heard of a text when this share of its sound was: an estimate, by letters."""
    if share >= 1:
        return text
    heard, length = [], 0
    for word in text.split():
        length += len(word) + 1
        if length - 1 > share * len(text):
            break
        heard.append(word)
    return " ".join(heard)


def restored_items(
    conversation: Conversation, *, speech: Mapping[str, bytes], heard: Mapping[str, float]
) -> tuple[list[items.Item], list[Loss]]:
    """Return the items of a conversation as a new session takes them, in order, and what is not among them.

    What the assistant said becomes ``output_text``, and what the user said ``input_text``: no endpoint takes an
    assistant's sound, and words cost less. ``speech`` has the sound of what the user said and nobody has written
    down, by item, empty where it is not held; ``heard`` the share that was heard of each answer that was cut.
    """
    made: list[items.Item] = []
    lost: list[Loss] = []
    calls: set[str] = set()
    for item in conversation.items:
        match item.type:
            case "message":
                content, losses = _content(item, speech.get(item.id), heard.get(item.id, 1.0))
                lost += losses
                if content:
                    made.append(items.MessageItem(id=item.id, role=_role(item), content=content))
            case "function_call" if item.status != "in_progress":
                calls.add(item.call_id)
                call = items.FunctionCall(
                    id=item.id, call_id=item.call_id, name=item.name, arguments=item.arguments
                )
                made.append(call)
            case "function_call_output" if item.call_id in calls:
                made.append(items.FunctionCallOutput(id=item.id, call_id=item.call_id, output=item.output))
            case "function_call_output":
                lost.append(Loss("The result of a function call that is not in the conversation.", item.id))
            case "mcp_list_tools" | "function_call":
                pass  # the endpoint lists them anew; a call that was not whole was not made
            case kind:
                lost.append(
                    Loss(f"An item of the type {kind or 'unknown'}, which only endpoints make.", item.id)
                )
    return made, lost


def _role(item: ConversationItem) -> items.Role:
    role: items.Role = msgspec.convert(item.role, items.Role)
    return role


def _content(
    item: ConversationItem, speech: bytes | None, share: float
) -> tuple[list[items.Content], list[Loss]]:
    if item.role == "assistant":
        texts = (words_heard(part.text, share if part.spoken else 1.0) for part in item.content)
        return [items.OutputText(text=text) for text in texts if text], []
    content: list[items.Content] = []
    lost: list[Loss] = []
    for part in item.content:
        made = _said(item, part, speech)
        if isinstance(made, Loss):
            lost.append(made)
        elif made is not None:
            content.append(made)
    return content, lost


def _said(item: ConversationItem, part: Part, speech: bytes | None) -> items.Content | Loss | None:
    if part.text and (not part.spoken or item.transcribed or not speech):
        return items.InputText(text=part.text)
    if not part.spoken:
        return Loss("A picture; pictures are not kept.", item.id)
    if speech:
        return items.InputAudio(audio=base64.b64encode(speech).decode())
    if item.transcribed and speech is None:
        return None  # nothing was said
    return Loss("Speech that nobody wrote down, and whose sound is no longer held.", item.id)


@dataclass(slots=True)
class Restoration:
    """What to send in a new session, before all else; `fold` takes the answers, which concern nobody else."""

    params: SessionParams | None
    items: list[items.Item]
    again: list[ClientEvent]
    """What nothing has answered, to be sent behind it."""
    audio_ms: int = 0
    """The speech in that."""
    lost: list[Loss] = field(default_factory=list)
    """What could not be restored: grows with every refusal."""
    restored: list[str] = field(default_factory=list)
    """Ids of the items that the endpoint has taken so far."""
    session_id: str = ""
    _pending: set[str] = field(default_factory=set)
    _echoes: set[str] = field(default_factory=set)
    _configuring: bool = False
    _opened: bool = False

    def __post_init__(self) -> None:
        self._pending = {item.id for item in self.items}
        self._echoes = set(self._pending)
        self._configuring = self.params is not None

    @classmethod
    def nothing(cls) -> "Restoration":
        """Return one that is done."""
        return cls(None, [], [], _opened=True)

    @property
    def repeated(self) -> list[str]:
        """The types of what is sent again, speech aside."""
        return [event.type for event in self.again if not isinstance(event, InputAudioBufferAppend)]

    @property
    def events(self) -> list[ClientEvent]:
        """Everything that is to be sent, in this order."""
        made: list[ClientEvent] = []
        if self.params is not None:
            made.append(SessionUpdate(event_id=CONFIGURATION, session=self.params))
        made += [ConversationItemCreate(event_id=_event_id(item.id), item=item) for item in self.items]
        return [*made, *self.again]

    @property
    def done(self) -> bool:
        """Whether the endpoint has answered all of it."""
        return self._opened and not self._configuring and not self._pending

    def fold(self, event: server.ServerEvent | UnknownEvent) -> bool:
        """Take a server event; return whether it only answers the restoration."""
        match event:
            case server.SessionCreated(session=session) if not self._opened:
                self._opened, self.session_id = True, session.id
                return True
            case server.SessionUpdated() if self._configuring:
                self._configuring, self._opened = False, True
                return True
            case server.ConversationItemAdded(item=item) | server.ConversationItemCreated(item=item):
                if item.id in self._pending:
                    self._pending.discard(item.id)
                    self.restored.append(item.id)
                    return True
            case server.ConversationItemDone(item=item) if item.id in self._echoes:
                self._echoes.discard(item.id)
                return True
            case server.ErrorEvent(error=error):
                return self._refused(error)
        return False

    def give_up(self) -> None:
        """Take it that what was not answered by now was not taken."""
        if self._configuring:
            self.lost.append(Loss("The configuration: the endpoint did not confirm it."))
        self.lost += [
            Loss("The endpoint did not confirm it.", item.id)
            for item in self.items
            if item.id in self._pending
        ]
        self._configuring, self._opened = False, True
        self._pending.clear()

    def _refused(self, error: server.ErrorDetails) -> bool:
        if error.event_id == CONFIGURATION and self._configuring:
            self._configuring, self._opened = False, True
            self.lost.append(Loss(f"The configuration was refused: {error.message}"))
            return True
        refused = next((one for one in self._pending if _event_id(one) == error.event_id), None)
        if refused is None:
            return False
        self._pending.discard(refused)
        self._echoes.discard(refused)
        self.lost.append(Loss(f"It was refused: {error.message}", refused))
        return True


def _event_id(item_id: str) -> str:
    return f"restore_{item_id}"
