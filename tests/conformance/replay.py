"""Replays a recorded session: the client's frames go to the engine's session, whose models hear, write and say
what was heard, written and said when it was recorded."""

import base64
from typing import Any

from tests.conformance.recording import APPEND_MS, Recording
from tests.engine.session.driver import STEP_MS, Driver
from vivavoce.engine.models.protocols import Transcription
from vivavoce.engine.session import effects, inputs

SILENCE = base64.b64encode(bytes(APPEND_MS * 24 * 2)).decode()


class Replay(Driver):
    """A frame of the client is fed when the recorded server reacts to it: before that, it was under way."""

    def __init__(self, recording: Recording) -> None:
        session = recording.session
        super().__init__(model=session["model"], expires_at=session["expires_at"])
        self._recording = recording
        self._turns = iter(recording.turns)
        self._answers = iter(recording.answers)
        self._under_way: list[dict[str, Any]] = []
        self._appended_ms = 0
        self._steps = 0
        self._words: dict[str, str] = {}
        for direction, event in recording.frames:
            self._sent(event) if direction == "C" else self._told(event)
        assert not self._under_way, "the recorded server reacted to every frame"

    def _sent(self, event: dict[str, Any]) -> None:
        if event["type"] == "input_audio_buffer.append":
            self._hear(event)
        else:
            self._under_way.append(event)

    def _told(self, event: dict[str, Any]) -> None:
        """Do what made the recorded server tell this."""
        match event:
            case {"type": "session.updated"}:
                self._arrives("session.update")
            case {"type": "conversation.item.added", "item": {"content": [{"type": "input_audio"}]}}:
                self._words.clear()  # the voice detector made this item: what is recognised now is its end
            case {"type": "conversation.item.added", "item": item} if item.get("status") != "in_progress":
                self._arrives("conversation.item.create")
            case {"type": "input_audio_buffer.speech_started", "item_id": item}:
                self._words[item] = ""
            case {"type": "conversation.item.input_audio_transcription.delta", "item_id": item}:
                if item in self._words:
                    self._words[item] += event["delta"]
                    self._recognised(self._words[item], final=False)
            case {"type": "response.created"}:
                if self._under_way:
                    self._arrives("response.create")
                else:
                    self._recognised(next(self._turns).transcript, final=True)
                self._answer()

    def _arrives(self, kind: str) -> None:
        event = self._under_way.pop(0)
        assert event["type"] == kind, "the server reacts in order"
        item = event.get("item", {})
        if "call_id" in item:
            event = {**event, "item": {**item, "call_id": self._our_call(item["call_id"])}}
        self.client(event.pop("type"), **event)

    def _our_call(self, recorded: str) -> str:
        def calls(events: list[dict[str, Any]]) -> list[str]:
            added = [event["item"] for event in events if event["type"] == "response.output_item.added"]
            return [item["call_id"] for item in added if item["type"] == "function_call"]

        return calls(self.events)[calls(self._recording.server).index(recorded)]

    def _hear(self, event: dict[str, Any]) -> None:
        assert not self._under_way, "no frame is overtaken"
        self.client(event["type"], audio=SILENCE)
        self._appended_ms += APPEND_MS
        while (self._steps + 1) * STEP_MS <= self._appended_ms:
            voiced = any(self._steps in turn.voiced for turn in self._recording.turns)
            listening = self.last(effects.Listen).listening
            self.tell(inputs.VoiceHeard(listening, [0.9 if voiced else 0.0]))
            self._steps += 1

    def _recognised(self, text: str, *, final: bool) -> None:
        asked = [asked for asked in self.all(effects.Recognise) if asked.final == final]
        if asked:
            last = asked[-1]
            heard = Transcription(text.strip())
            self.tell(inputs.Recognised(last.utterance, len(last.pcm), final, heard))

    def _answer(self) -> None:
        answer = next(self._answers)
        number = self.last(effects.Generate).generation
        for kind, text in answer.pieces:
            match kind:
                case "text":
                    self.tell(inputs.TextGenerated(number, text))
                case "call":
                    self.tell(inputs.CallStarted(number, text))
                case "arguments":
                    self.tell(inputs.ArgumentsWritten(number, text))
        assert answer.finished is not None, "every recorded response came to its end"
        self.tell(inputs.GenerationFinished(number, answer.finished))
        self.speak()
