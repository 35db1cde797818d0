"""The mirror: what a client knows of the conversation, folded from the server's events. Pure."""

import base64
from dataclasses import dataclass, field

from msgspec import UNSET

from vivavoce.protocol import items
from vivavoce.protocol import server_events as server
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.session import AudioPcm, RealtimeSession

__all__ = ["Conversation", "ConversationItem", "Part"]


@dataclass(slots=True)
class Part:
    """One part of a message's content."""

    spoken: bool = False
    """Whether this is audio, and ``text`` its transcript."""
    text: str = ""
    audio: bytearray = field(default_factory=bytearray)
    """Audio in the session's output format, for who keeps it."""


@dataclass(slots=True)
class ConversationItem:
    """One item, as far as it is known."""

    id: str
    type: str = ""
    """The protocol's: message, function_call, …; empty while nothing but a transcript is known."""
    role: str = ""
    status: str = ""
    content: list[Part] = field(default_factory=list)
    response_id: str | None = None
    """The response that puts it out."""
    transcribed: bool = False
    """Whether the transcript of the user's speech is final."""
    audio_end_ms: int | None = None
    """Where it was truncated. The endpoint then forgets the transcript; here it stays, and may say more than was
    heard."""
    name: str = ""
    call_id: str = ""
    arguments: str = ""
    output: str = ""

    @property
    def text(self) -> str:
        """What is written in it."""
        return "".join(part.text for part in self.content if not part.spoken)

    @property
    def transcript(self) -> str:
        """What is said in it."""
        return "".join(part.text for part in self.content if part.spoken)

    @property
    def words(self) -> str:
        """All of it, written and said."""
        return "".join(part.text for part in self.content)

    @property
    def audio(self) -> bytes:
        """The speech of it, in the session's output format, for who keeps it."""
        return b"".join(part.audio for part in self.content)

    def part(self, index: int) -> Part:
        """Return the content part with this ``content_index``, making those that are not there yet."""
        while len(self.content) <= index:
            self.content.append(Part())
        return self.content[index]


class Conversation:
    """Folds server events into items, in the order that the endpoint has them in.

    Events about an item may come before the item: the transcript of the user's speech does, and the output of a
    response. They are kept by item id until the item is placed, or its response ends without placing it, as one
    out of band does. Audio is kept only if asked for, since an hour of it is 170 MB.
    """

    def __init__(self, *, keep_audio: bool = False) -> None:
        self.items: list[ConversationItem] = []
        self._keep_audio = keep_audio
        self._waiting: dict[str, ConversationItem] = {}
        self._bytes_per_ms = 48  # PCM16 at 24 kHz, until the session says otherwise

    def find(self, item_id: str) -> ConversationItem | None:
        """Return the item of this id, placed or still waiting for its place."""
        placed = (item for item in reversed(self.items) if item.id == item_id)
        return next(placed, self._waiting.get(item_id))

    def fold(self, event: server.ServerEvent | UnknownEvent) -> ConversationItem | None:
        """Take one event, and return the item that it changed, if any."""
        match event:
            case server.SessionCreated(session=session) | server.SessionUpdated(session=session):
                if isinstance(session, RealtimeSession):
                    self._bytes_per_ms = 48 if isinstance(session.audio.output.format, AudioPcm) else 8
            case server.ConversationItemAdded() | server.ConversationItemCreated():
                return self._place(
                    event.item, event.previous_item_id or "", last=event.previous_item_id is UNSET
                )
            case server.ConversationItemDone(item=item):
                # Its previous_item_id is null for any second item [recorded sessions]: only `added` tells the place.
                if item.id in self._waiting or self.find(item.id) is None:
                    return self._place(item, event.previous_item_id or "", last=True)
                return self._describe(item)
            case server.ConversationItemRetrieved(item=item):
                return self._describe(item) if self.find(item.id) else None
            case server.ConversationItemDeleted(item_id=item_id):
                return self._delete(item_id)
            case server.ConversationItemTruncated():
                return self._truncate(event)
            case server.ResponseDone(response=response):
                for lost in [one for one in self._waiting.values() if one.response_id == response.id]:
                    del self._waiting[lost.id]
            case server.InputAudioBufferSpeechStarted(item_id=item_id):
                return self._heard(item_id)
        return self._fold_transcription(event) or self._fold_output(event)

    def _fold_transcription(self, event: server.ServerEvent | UnknownEvent) -> ConversationItem | None:
        match event:
            case server.ConversationItemInputAudioTranscriptionDelta(item_id=item_id, delta=str(delta)):
                item = self._heard(item_id)
                item.part(event.content_index or 0).text += delta
            case server.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id):
                item = self._heard(item_id)
                item.part(event.content_index).text = event.transcript
                item.transcribed = True
            case server.ConversationItemInputAudioTranscriptionFailed(item_id=item_id):
                item = self._heard(item_id)
                item.transcribed = True
            case _:
                return None
        return item

    def _fold_output(self, event: server.ServerEvent | UnknownEvent) -> ConversationItem | None:
        match event:
            case server.ResponseOutputItemAdded() | server.ResponseOutputItemDone():
                item = self._describe(event.item)
                item.response_id = event.response_id
                return item
            case server.ResponseOutputTextDelta():
                self._known(event.item_id).part(event.content_index).text += event.delta
            case server.ResponseOutputTextDone():
                self._known(event.item_id).part(event.content_index).text = event.text
            case server.ResponseOutputAudioTranscriptDelta():
                self._spoken(event.item_id, event.content_index).text += event.delta
            case server.ResponseOutputAudioTranscriptDone():
                self._spoken(event.item_id, event.content_index).text = event.transcript
            case server.ResponseOutputAudioDelta():
                part = self._spoken(event.item_id, event.content_index)
                if self._keep_audio:
                    part.audio += _bytes(event.delta)
            case server.ResponseFunctionCallArgumentsDelta() | server.ResponseMcpCallArgumentsDelta():
                self._known(event.item_id).arguments += event.delta
            case server.ResponseFunctionCallArgumentsDone() | server.ResponseMcpCallArgumentsDone():
                self._known(event.item_id).arguments = event.arguments
            case _:
                return None
        return self._known(event.item_id)

    def _known(self, item_id: str) -> ConversationItem:
        """Return the item of this id; if there is none, it waits from now on."""
        return self.find(item_id) or self._waiting.setdefault(item_id, ConversationItem(item_id))

    def _spoken(self, item_id: str, content_index: int) -> Part:
        part = self._known(item_id).part(content_index)
        part.spoken = True
        return part

    def _heard(self, item_id: str) -> ConversationItem:
        item = self._known(item_id)
        item.role = "user"
        item.part(0).spoken = True
        return item

    def _place(self, given: items.Item, previous_item_id: str, *, last: bool) -> ConversationItem:
        item = self._describe(given)
        if self._waiting.pop(item.id, None) is None:  # it has its place
            return item
        ids = [one.id for one in self.items]
        if previous_item_id in ids:
            self.items.insert(ids.index(previous_item_id) + 1, item)
        elif last or previous_item_id:
            self.items.append(item)
        else:
            self.items.insert(0, item)
        return item

    def _delete(self, item_id: str) -> ConversationItem | None:
        item = self.find(item_id)
        self._waiting.pop(item_id, None)
        self.items = [one for one in self.items if one.id != item_id]
        return item

    def _truncate(self, event: server.ConversationItemTruncated) -> ConversationItem | None:
        item = self.find(event.item_id)
        if item is not None:
            item.audio_end_ms = event.audio_end_ms
            del item.part(event.content_index).audio[event.audio_end_ms * self._bytes_per_ms :]
        return item

    def _describe(self, given: items.Item) -> ConversationItem:
        """Take over what the endpoint says of an item, except where it says less than is known."""
        item = self._known(given.id)
        item.type = given.type
        match given:
            case items.MessageItem():
                item.role = given.role
                for index, content in enumerate(given.content):
                    self._describe_part(item.part(index), content)
            case items.FunctionCall() | items.McpCall() | items.McpApprovalRequest():
                item.name = given.name
                item.arguments = given.arguments or item.arguments
                item.call_id = given.call_id if isinstance(given, items.FunctionCall) else item.call_id
                item.output = (given.output or "") if isinstance(given, items.McpCall) else item.output
            case items.FunctionCallOutput():
                item.call_id, item.output = given.call_id, given.output
        status = getattr(given, "status", None)
        item.status = status or item.status
        return item

    def _describe_part(self, part: Part, content: items.Content) -> None:
        match content:
            case items.InputText(text=text) | items.OutputText(text=text):
                part.spoken, part.text = False, text
            case items.InputAudio() | items.OutputAudio():
                part.spoken, part.text = True, content.transcript or part.text
                if content.audio and self._keep_audio:
                    part.audio[:] = _bytes(content.audio)


def _bytes(audio: str) -> bytes:
    """Decode base64; what is none is no audio, and no reason to lose the conversation."""
    try:
        return base64.b64decode(audio)
    except ValueError:
        return b""
