"""A session of the engine that plays a script. Pure.

It is the engine's own state machine. Its ears are here: what is heard follows at once from what the client sent, so
that the same client events lead to the same server events. It never thinks ahead of the end of a turn: a response
takes as long as its script says. What it answers goes to the models with the prompt.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from vivavoce.engine.models.protocols import Prompt, Transcription
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.conversation import Entry
from vivavoce.engine.session.machine import Session
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.responses import Response, ResponseError, ResponseStatusDetails
from vivavoce.testing.hearing import Ear, complete, words_so_far
from vivavoce.testing.models import CuedPrompt
from vivavoce.testing.play import Cue, Play
from vivavoce.testing.script import RawEvent, Script

__all__ = ["ScriptedSession"]

Happened = str | bytes | inputs.ModelAnswer | inputs.Expired


class ScriptedSession(Session):
    """A `Session` that hears by itself, and answers what the script says; ``machine`` is what a `Session` takes."""

    def __init__(self, script: Script, *, ids: Ids | None = None, **machine: Any) -> None:
        self._ids = ids or Ids()
        super().__init__(ids=self._ids, **machine)
        self._script = script
        self.play = Play(script)
        """How far the script has been played."""
        self._ear = Ear()
        self._followed = 0
        self._cues: dict[str, Cue] = {}
        self._begun = ""
        self._silent = False

    def begin(self) -> list[effects.Effect]:
        """Return what a session starts with."""
        asked, _ = self._direct(super().begin())
        return [*asked, *self._raw(self._script.emit)]

    def take(self, happened: Happened) -> list[effects.Effect]:
        """Take what happened; return what is to be done, all that was heard being known by then."""
        waiting, asked = deque[Happened]([happened]), list[effects.Effect]()
        while waiting:
            done, heard = self._direct(super().take(waiting.popleft()))
            asked += done
            waiting.extendleft(reversed(heard))  # what follows from one step comes before the next
        return asked

    def turn_may_be_over(self, item_id: str, text: str) -> None:
        """Wait until it is."""

    def words_so_far(self, text: str) -> None:
        """Wait until they are all there."""

    def transcribed(self, entry: Entry) -> None:
        """Answer what could not be transcribed as well: a script needs no words."""
        if all(part.text is not None for part in entry.parts):
            super().transcribed(entry)

    def _direct(self, asked: Iterable[effects.Effect]) -> tuple[list[effects.Effect], list[Happened]]:
        """Divide effects into those that are for the shell, and what follows from the others at once."""
        done: list[effects.Effect] = []
        heard: list[Happened] = []
        for effect in asked:
            match effect:
                case effects.Listen():
                    heard += self._listen(effect)
                case effects.Recognise():
                    heard.append(self._recognise(effect))
                case effects.Judge(number, pcm, text):
                    heard.append(inputs.Judged(number, len(pcm), complete(text)))
                case effects.Prepare() | effects.CancelRecognition():
                    pass  # there is no work that could be done ahead, or stopped
                case effects.Send(ev.InputAudioBufferTimeoutTriggered()):
                    self._silent = True
                    done.append(effect)
                case effects.Generate():
                    done += self._generate(effect)
                case effects.Send(ev.ResponseCreated(response=response)):
                    self._begun = response.id
                    done.append(effect)
                case effects.Send(ev.ResponseDone(response=response)):
                    done += [effect, *self._finish(response)]
                case _:
                    done.append(effect)
        return done, heard

    def _listen(self, effect: effects.Listen) -> list[Happened]:
        """Hear step by step, so that nothing depends on how a client cuts its audio."""
        if effect.listening != self._followed:
            self._followed, self._ear = effect.listening, Ear()
        steps = self._ear.push(effect.pcm)
        return [inputs.VoiceHeard(effect.listening, [probability]) for probability in steps]

    def _recognise(self, effect: effects.Recognise) -> Happened:
        length = len(effect.pcm)
        if self._silent:  # this is the silence that timed out
            self._silent = False
            return inputs.Recognised(effect.utterance, length, effect.final, Transcription(""))
        heard = self.play.hear(effect.utterance)
        if heard.failure is not None:
            return inputs.RecognitionFailed(effect.utterance, length, effect.final, heard.failure)
        text = heard.text if effect.final else words_so_far(heard.text, length)
        understood = Transcription(text, tokens=len(text.split()))
        return inputs.Recognised(effect.utterance, length, effect.final, understood)

    def _generate(self, effect: effects.Generate) -> list[effects.Effect]:
        """Give the prompt its answer; every generation is for the response that was created last."""
        cue = self._cues[self._begun] = self.play.begin(effect.prompt)
        return [*self._raw(cue.emit), replace(effect, prompt=_cued(effect.prompt, cue))]

    def _finish(self, response: Response) -> list[effects.Effect]:
        """Tell the end of a response as its turn has it; return what follows on it."""
        cue = self._cues.pop(response.id, None) or Cue()
        if response.status == "failed" and cue.failure is not None:
            failure = cue.failure
            error = ResponseError(type=failure.type, code=failure.code, message=failure.message)
            response.status_details = ResponseStatusDetails(type="failed", error=error)
        elif response.status == "incomplete" and cue.incomplete == "content_filter":
            response.status_details = ResponseStatusDetails(type="incomplete", reason="content_filter")
        return self._raw(cue.emit_after, response.id)

    def _raw(self, events: Iterable[RawEvent], response_id: str = "") -> list[effects.Effect]:
        known = {"$response_id": response_id or self._begun, "$session_id": self.session.id or ""}
        return [self._send(_filled(event, known)) for event in events]

    def _send(self, event: RawEvent) -> effects.Effect:
        told = {"type": event["type"], "event_id": self._ids.event(), **event}
        # It goes to the wire as it stands, whatever the protocol makes of it.
        unknown = UnknownEvent(type=event["type"], data=told, reason="written in a script")
        return effects.Send(cast("ev.ServerEvent", unknown))


def _cued(prompt: Prompt, cue: Cue) -> CuedPrompt:
    return CuedPrompt(
        messages=prompt.messages,
        unfinished=prompt.unfinished,
        functions=prompt.functions,
        tool_choice=prompt.tool_choice,
        must_call=prompt.must_call,
        parallel_calls=prompt.parallel_calls,
        cue=cue,
    )


def _filled(value: Any, known: dict[str, str]) -> Any:
    """Put what is known now in the place of placeholders."""
    match value:
        case str():
            return known.get(value, value)
        case dict():
            return {key: _filled(inner, known) for key, inner in value.items()}
        case list():
            return [_filled(inner, known) for inner in value]
        case _:
            return value
