"""The mirror: what a client knows of the conversation, folded from the server's events. Pure."""

from collections.abc import Callable
from typing import Any, ClassVar

from msgspec import UNSET

from vivavoce.client.changes import Appended, Change, Completed, Delta, Interrupted, Listeners, Updated
from vivavoce.client.conversation_item import ConversationItem, Part, audio_bytes
from vivavoce.client.kept_audio import KeptAudio
from vivavoce.protocol import items
from vivavoce.protocol import server_events as server
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.session import AudioPcm, RealtimeSession

__all__ = ["MOST_WAITING", "Conversation", "ConversationItem", "Part"]

MOST_WAITING = 256
"""Items that may be known before they have a place; of more, the oldest are forgotten."""


class Conversation:
    """Folds server events into items, in the order that the endpoint has them in.

    Events about an item may come before the item: the transcript of the user's speech does, and the output of a
    response. They are kept by item id until the item is placed, or its response ends without placing it, as one
    out of band does.

    ``keep_audio`` is False for none, True for all, or the seconds to keep of it, the latest; ``keep_items`` is the
    number of items to keep, the last, where the endpoint has more.
    """

    def __init__(self, *, keep_audio: float | bool = False, keep_items: int | None = None) -> None:
        if keep_items is not None and keep_items < 1:
            raise ValueError(f"Expected to keep at least one item, or None for all, and got {keep_items}.")
        self.items: list[ConversationItem] = []
        self._keep_items = keep_items
        self._audio = KeptAudio(keep_audio)
        self._known: dict[str, ConversationItem] = {}
        self._waiting: dict[str, ConversationItem] = {}
        """Those of the known that have no place yet."""
        self._listeners = Listeners()

    def on(self, name: str, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Call a listener for every change of a type; what is returned takes it off again.

        ``item.appended``, ``item.completed`` and ``updated`` tell of items, each as `vivavoce.client.changes` says;
        ``interrupted``, that the user has begun to speak. Items out of band are told to nobody. Listeners are
        called when the whole event has been folded in. Raises `ValueError` for any other name.
        """
        return self._listeners.on(name, listener)

    @property
    def waiting(self) -> list[ConversationItem]:
        """The items that have no place yet."""
        return list(self._waiting.values())

    def find(self, item_id: str) -> ConversationItem | None:
        """Return the item of this id, placed or still waiting for its place."""
        return self._known.get(item_id)

    def placed(self, item_id: str) -> bool:
        """Return whether the conversation has this item: one out of band it has not, nor one that is deleted."""
        return item_id in self._known and item_id not in self._waiting

    def load(self, placed: list[ConversationItem], waiting: list[ConversationItem]) -> None:
        """Go on with the items of another mirror, of which some have no place yet; nobody is told of them."""
        self.items = placed
        self._waiting = {item.id: item for item in waiting}
        self._known = {item.id: item for item in (*placed, *waiting)}

    def fold(self, event: server.ServerEvent | UnknownEvent) -> ConversationItem | None:
        """Take one event, and return the item that it changed, if any."""
        folding = self._FOLDINGS.get(type(event))
        return folding(self, event) if folding is not None else None

    # The session and its items.

    def _configure(self, event: server.SessionCreated | server.SessionUpdated) -> None:
        if isinstance(event.session, RealtimeSession):
            spoken = event.session.audio.output.format
            self._audio.bytes_per_ms = 48 if isinstance(spoken, AudioPcm) else 8

    def _added(
        self, event: server.ConversationItemAdded | server.ConversationItemCreated
    ) -> ConversationItem:
        return self._place(event.item, event.previous_item_id or "", last=event.previous_item_id is UNSET)

    def _done(self, event: server.ConversationItemDone) -> ConversationItem:
        item = self.find(event.item.id)
        if item is None or item.id in self._waiting:
            # Its previous_item_id is null for any second item [recorded sessions]: only `added` tells the place.
            item = self._place(event.item, event.previous_item_id or "", last=True)
        else:
            self._describe(item, event.item)
            self._changed(item)
        self._complete(item)
        return item

    def _retrieved(self, event: server.ConversationItemRetrieved) -> ConversationItem | None:
        item = self.find(event.item.id)
        if item is not None:
            self._describe(item, event.item)
            self._changed(item)
        return item

    def _deleted(self, event: server.ConversationItemDeleted) -> ConversationItem | None:
        item = self._known.pop(event.item_id, None)
        if item is not None and self._waiting.pop(item.id, None) is None:
            del self.items[self._index(item)]
        if item is not None:
            self._audio.forget(item)
        return item

    def _truncated(self, event: server.ConversationItemTruncated) -> ConversationItem | None:
        item = self.find(event.item_id)
        if item is not None:
            item.audio_end_ms = event.audio_end_ms
            self._audio.cut(item.part(event.content_index), event.audio_end_ms)
            self._changed(item)
        return item

    def _response_done(self, event: server.ResponseDone) -> None:
        for lost in [one for one in self._waiting.values() if one.response_id == event.response.id]:
            self._forget(lost)

    # What the user says.

    def _speech_started(self, event: server.InputAudioBufferSpeechStarted) -> ConversationItem:
        item = self._heard(event.item_id)
        self._listeners.tell(Interrupted(item))
        return item

    def _transcript_delta(
        self, event: server.ConversationItemInputAudioTranscriptionDelta
    ) -> ConversationItem:
        item = self._heard(event.item_id)
        delta = event.delta or ""
        item.part(event.content_index or 0).text += delta
        self._changed(item, Delta(transcript=delta))
        return item

    def _transcript(self, event: server.ConversationItemInputAudioTranscriptionCompleted) -> ConversationItem:
        item = self._heard(event.item_id)
        item.part(event.content_index).text = event.transcript
        return self._transcribed(item)

    def _no_transcript(self, event: server.ConversationItemInputAudioTranscriptionFailed) -> ConversationItem:
        return self._transcribed(self._heard(event.item_id))

    def _transcribed(self, item: ConversationItem) -> ConversationItem:
        item.transcribed = True
        self._changed(item)
        return item

    # What the assistant says and does.

    def _output_item(
        self, event: server.ResponseOutputItemAdded | server.ResponseOutputItemDone
    ) -> ConversationItem:
        item = self._expected(event.item.id)
        self._describe(item, event.item)
        item.response_id = event.response_id
        self._changed(item)
        if isinstance(event, server.ResponseOutputItemDone) and item.id not in self._waiting:
            self._complete(item)
        return item

    def _text_delta(self, event: server.ResponseOutputTextDelta) -> ConversationItem:
        item = self._expected(event.item_id)
        item.part(event.content_index).text += event.delta
        self._changed(item, Delta(text=event.delta))
        return item

    def _text(self, event: server.ResponseOutputTextDone) -> ConversationItem:
        item = self._expected(event.item_id)
        item.part(event.content_index).text = event.text
        self._changed(item)
        return item

    def _spoken_delta(self, event: server.ResponseOutputAudioTranscriptDelta) -> ConversationItem:
        item = self._expected(event.item_id)
        part = item.part(event.content_index)
        part.spoken = True
        part.text += event.delta
        self._changed(item, Delta(transcript=event.delta))
        return item

    def _spoken(self, event: server.ResponseOutputAudioTranscriptDone) -> ConversationItem:
        item = self._expected(event.item_id)
        part = item.part(event.content_index)
        part.spoken, part.text = True, event.transcript
        self._changed(item)
        return item

    def _audio_delta(self, event: server.ResponseOutputAudioDelta) -> ConversationItem:
        item = self._expected(event.item_id)
        part = item.part(event.content_index)
        part.spoken = True
        if self._audio.any or self._listeners.any("updated"):  # else it need not even be decoded
            audio = audio_bytes(event.delta)
            self._audio.add(part, audio)
            self._changed(item, Delta(audio=audio))
        return item

    def _arguments_delta(
        self, event: server.ResponseFunctionCallArgumentsDelta | server.ResponseMcpCallArgumentsDelta
    ) -> ConversationItem:
        item = self._expected(event.item_id)
        item.arguments += event.delta
        self._changed(item, Delta(arguments=event.delta))
        return item

    def _arguments(
        self, event: server.ResponseFunctionCallArgumentsDone | server.ResponseMcpCallArgumentsDone
    ) -> ConversationItem:
        item = self._expected(event.item_id)
        item.arguments = event.arguments
        self._changed(item)
        return item

    # Keeping.

    def _expected(self, item_id: str) -> ConversationItem:
        """Return the item of this id; if there is none, it waits from now on."""
        item = self._known.get(item_id)
        if item is None:
            item = self._known[item_id] = self._waiting[item_id] = ConversationItem(item_id)
            if len(self._waiting) > MOST_WAITING:
                self._forget(next(iter(self._waiting.values())))
        return item

    def _heard(self, item_id: str) -> ConversationItem:
        item = self._expected(item_id)
        item.role = "user"
        item.part(0).spoken = True
        return item

    def _describe(self, item: ConversationItem, given: items.Item) -> None:
        for part, audio in item.describe(given):
            self._audio.replace(part, audio)

    def _place(self, given: items.Item, previous_item_id: str, *, last: bool) -> ConversationItem:
        item = self._expected(given.id)
        self._describe(item, given)
        if self._waiting.pop(item.id, None) is None:  # it has its place
            self._changed(item)
            return item
        previous = self._known.get(previous_item_id)
        if previous is not None and previous is not item and previous.id not in self._waiting:
            self.items.insert(self._index(previous) + 1, item)
        elif last or previous_item_id:
            self.items.append(item)
        else:
            self.items.insert(0, item)
        if self._keep_items is not None and len(self.items) > self._keep_items:
            self._forget(self.items.pop(0))
        self._listeners.tell(Appended(item))
        return item

    def _index(self, item: ConversationItem) -> int:
        """Return the place of an item, which is most often near the end."""
        return next(at for at in range(len(self.items) - 1, -1, -1) if self.items[at] is item)

    def _complete(self, item: ConversationItem) -> None:
        if not item.complete:
            item.complete = True
            self._listeners.tell(Completed(item))

    def _forget(self, item: ConversationItem) -> None:
        self._waiting.pop(item.id, None)
        self._known.pop(item.id, None)
        self._audio.forget(item)

    def _changed(self, item: ConversationItem, delta: Delta | None = None) -> None:
        # A response out of band is in no conversation; what the user is saying will be.
        if self._listeners.any("updated") and (item.id not in self._waiting or item.role == "user"):
            self._listeners.tell(Updated(item, delta))

    _FOLDINGS: ClassVar[dict[type, Callable[[Any, Any], ConversationItem | None]]] = {
        server.SessionCreated: _configure,
        server.SessionUpdated: _configure,
        server.ConversationItemAdded: _added,
        server.ConversationItemCreated: _added,
        server.ConversationItemDone: _done,
        server.ConversationItemRetrieved: _retrieved,
        server.ConversationItemDeleted: _deleted,
        server.ConversationItemTruncated: _truncated,
        server.InputAudioBufferSpeechStarted: _speech_started,
        server.ConversationItemInputAudioTranscriptionDelta: _transcript_delta,
        server.ConversationItemInputAudioTranscriptionCompleted: _transcript,
        server.ConversationItemInputAudioTranscriptionFailed: _no_transcript,
        server.ResponseOutputItemAdded: _output_item,
        server.ResponseOutputItemDone: _output_item,
        server.ResponseOutputTextDelta: _text_delta,
        server.ResponseOutputTextDone: _text,
        server.ResponseOutputAudioDelta: _audio_delta,
        server.ResponseOutputAudioTranscriptDelta: _spoken_delta,
        server.ResponseOutputAudioTranscriptDone: _spoken,
        server.ResponseFunctionCallArgumentsDelta: _arguments_delta,
        server.ResponseFunctionCallArgumentsDone: _arguments,
        server.ResponseMcpCallArgumentsDelta: _arguments_delta,
        server.ResponseMcpCallArgumentsDone: _arguments,
        server.ResponseDone: _response_done,
    }
    """What is done about an event of each type: audio and words come many times a second, and are found at once."""
