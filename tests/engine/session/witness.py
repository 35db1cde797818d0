"""Watches everything that a session does, and knows what it promised: every test that drives a session has one."""

import base64
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from vivavoce.engine.session import effects
from vivavoce.engine.session.answering import OUT_OF_BAND_LIMIT

Event = dict[str, Any]

BYTES_PER_MS = {"audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8}


@dataclass
class Reply:
    """A response, as its events have told it so far."""

    in_conversation: bool
    bytes_per_ms: int
    output: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    done: bool = False


class Witness:
    """Give it every effect of a session, in order; it raises `AssertionError` where a promise is broken."""

    def __init__(self) -> None:
        self.items: list[str] = []
        """The conversation, as its events tell it."""
        self.replies: dict[str, Reply] = {}
        self.sent_ms: dict[str, float] = {}
        """Milliseconds of speech that were sent of an item, and not truncated."""
        self.generations: dict[int, int] = {}
        """How many clauses of each generation were to be spoken."""
        self.ended: set[int] = set()
        self.heard: set[str] = set()
        """Items whose words have been told."""
        self._speaking: str | None = None
        self._stopped: str | None = None
        self._open_items: set[str] = set()
        self._written: dict[str, str] = {}
        self._event_ids: set[str] = set()

    def sees(self, effect: effects.Effect) -> None:
        """Take an effect that is no event."""
        match effect:
            case effects.Generate(generation=number):
                assert number not in self.generations, "a generation is begun once"
                self.generations[number] = 0
                running = len(self.generations) - len(self.ended)
                assert running <= OUT_OF_BAND_LIMIT + 2, (
                    "one in the conversation, one on trial, some beside it"
                )
            case effects.EndGeneration(generation=number):
                assert number in self.generations
                self.ended.add(number)
            case effects.Synthesise(generation=number, clause=clause):
                assert number not in self.ended, "nothing is spoken of what was dropped"
                assert clause == self.generations[number], "clauses are spoken in order"
                self.generations[number] += 1

    def hears(self, event: Event) -> None:
        """Take an event."""
        assert event["event_id"] not in self._event_ids, "an event has an id of its own"
        self._event_ids.add(event["event_id"])
        kind = event["type"]
        if "response_id" in event or kind in ("response.created", "response.done"):
            self._response(kind, event)
        if kind.startswith("conversation.item.input_audio_transcription."):
            self._words(kind, event)
        elif kind.startswith("conversation.item."):
            self._item(kind, event)
        elif kind.startswith("input_audio_buffer."):
            self._buffer(kind, event)
        elif kind == "error":
            whose = "server_error" if event["error"]["code"] == "model_error" else "invalid_request_error"
            assert event["error"]["type"] == whose

    def _item(self, kind: str, event: Event) -> None:
        item = event.get("item", {})
        match kind:
            case "conversation.item.added":
                previous = event["previous_item_id"]
                index = 0 if previous is None else self._index(previous) + 1
                self.items.insert(index, item["id"])
                if item.get("status") == "in_progress":
                    self._open_items.add(item["id"])
            case "conversation.item.done":
                index = self._index(item["id"])
                assert event["previous_item_id"] == (self.items[index - 1] if index else None)
                assert item.get("status") != "in_progress", "what is done is done"
                self._open_items.discard(item["id"])
            case "conversation.item.deleted":
                del self.items[self._index(event["item_id"])]
                self.sent_ms.pop(event["item_id"], None)
            case "conversation.item.truncated":
                sent = self.sent_ms.get(event["item_id"], event["audio_end_ms"])
                assert event["audio_end_ms"] <= sent, "nobody heard more than was sent"
                self.sent_ms[event["item_id"]] = event["audio_end_ms"]

    def _index(self, item_id: str) -> int:
        """Return where an item is, the newest of that id: OpenAI accepts an id twice, and so does the engine."""
        return len(self.items) - 1 - self.items[::-1].index(item_id)

    def _buffer(self, kind: str, event: Event) -> None:
        match kind:
            case "input_audio_buffer.speech_started":
                assert self._stopped is None, "a turn that ended was committed"
                self._speaking = event["item_id"]
            case "input_audio_buffer.speech_stopped":
                assert event["item_id"] == self._speaking, "who stops has started"
                self._speaking, self._stopped = None, event["item_id"]
            case "input_audio_buffer.committed":
                assert self._stopped in (None, event["item_id"]), "a turn is committed at once"
                assert event["previous_item_id"] == (self.items[-1] if self.items else None)
                assert event["item_id"] not in self.items
                self._stopped = None

    def _words(self, kind: str, event: Event) -> None:
        item_id = event["item_id"]
        part = f"{item_id}/{event['content_index']}"
        assert part not in self.heard, "words that were told whole are told"
        if kind.endswith(".delta"):
            # Without turn detection, words may come before anything else tells of the item.
            assert item_id in self.items or self._speaking in (item_id, None)
        else:
            assert item_id in self.items, "nothing is told of an item that is gone"
            self.heard.add(part)

    def _response(self, kind: str, event: Event) -> None:
        if kind == "response.created":
            self._created(event["response"])
            return
        reply = self.replies[event["response_id"] if "response_id" in event else event["response"]["id"]]
        assert not reply.done, "nothing comes after the end"
        item_id = event.get("item_id") or event.get("item", {}).get("id")
        match kind:
            case "response.output_item.added":
                assert event["output_index"] == len(reply.output), "output is told in order"
                reply.output.append(item_id)
                reply.open.add(item_id)
            case "response.output_item.done":
                reply.open.remove(item_id)
                assert reply.output[event["output_index"]] == item_id
            case "response.done":
                self._done(event["response"], reply)
            case _:
                assert item_id in reply.open, "an item that is done is done"
                self._part(kind, event, reply)

    def _part(self, kind: str, event: Event, reply: Reply) -> None:
        item_id = event["item_id"]
        stream = f"{item_id}/{kind.rsplit('.', 1)[0]}"
        if kind == "response.output_audio.delta":
            size = len(base64.b64decode(event["delta"]))
            self.sent_ms[item_id] = self.sent_ms.get(item_id, 0) + size / reply.bytes_per_ms
        elif kind.endswith(".delta"):
            self._written[stream] = self._written.get(stream, "") + event["delta"]
        elif kind.endswith((".output_text.done", "_transcript.done", "_arguments.done")):
            whole = event.get("text", event.get("transcript", event.get("arguments")))
            assert whole == self._written.get(stream, ""), "deltas add up"

    def _created(self, response: Event) -> None:
        assert response["id"] not in self.replies, "a response is created once"
        in_conversation = response["conversation_id"] is not None
        audio_format = response["audio"]["output"]["format"]["type"]
        self.replies[response["id"]] = Reply(in_conversation, BYTES_PER_MS[audio_format])
        active = Counter(reply.in_conversation for reply in self.replies.values() if not reply.done)
        assert active[True] <= 1, "one response at a time in the conversation"
        assert active[False] <= OUT_OF_BAND_LIMIT

    def _done(self, response: Event, reply: Reply) -> None:
        reply.done = True
        assert reply.open == set(), "a response is done when its items are"
        assert [item["id"] for item in response["output"]] == reply.output
        assert response["status"] != "in_progress"
        assert response["output"] or response["status"] != "completed", "who answers says something"

    def rests(self) -> None:
        """Check what must be so when nothing is being done."""
        writing = {item for reply in self.replies.values() for item in reply.open}
        assert self._open_items <= writing, "what is in progress is written by a response"
        assert self._stopped is None, "a turn that ended was committed"
