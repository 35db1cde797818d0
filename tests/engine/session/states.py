"""The session's state machine, run in each of its states with everything that can happen.

`table` is what came of it: no line of it is written by hand.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from tests.engine.session.driver import Driver, user
from vivavoce.engine.models.protocols import Finished, Transcription
from vivavoce.engine.session import effects, inputs
from vivavoce.protocol.server_events import ErrorEvent

NOBODY = 999
"""The number of work that is not under way."""

SAMPLE = base64.b64encode(bytes(4800)).decode()
"""A tenth of a second."""

PCM = np.ones(2400, np.int16)


@dataclass(frozen=True)
class State:
    """What a session hears, whether it is still recognising what it heard, and how far its answer is."""

    hearing: str
    settling: bool
    response: str

    def __str__(self) -> str:
        words = ", settling" if self.settling else ""
        return f"{self.hearing}{words} / {self.response}"


def state(driver: Driver) -> State:
    """Return the state that a session is in."""
    machine = driver.machine
    detector, answering = machine._listening._detector, machine._answering
    hearing = "listening"
    if detector is None:
        hearing = "pushing"
    elif detector.speaking:
        hearing = "paused" if detector.paused else "speaking"
    response = "none"
    if (answer := answering._answer) is not None:
        response = "waiting"
        if answer.generation is not None:
            response = "writing" if answer.generation.finished is None else "voicing"
            if answer._outputs and answer._outputs[-1].entry.kind == "function_call":
                response = "calling"
    elif answering._speculation is not None:
        response = "speculating"
    return State(hearing, bool(machine._listening._words._settling), response)


# How each state comes about.


def _session(**audio_input: Any) -> Driver:
    driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}, **audio_input}})
    said = {"type": "output_audio", "audio": SAMPLE, "transcript": "Good day."}
    driver.client("conversation.item.create", item=user("Hello", id="item_user"))
    driver.client(
        "conversation.item.create",
        item={"type": "message", "role": "assistant", "id": "item_assistant", "content": [said]},
    )
    return driver


def _listening() -> Driver:
    return _session()


def _speaking() -> Driver:
    driver = _session()
    driver.hear((0.512, 0.9))
    driver.recognise("What time is")
    driver.hear((0.512, 0.9))
    return driver


def _paused() -> Driver:
    driver = _speaking()
    driver.hear((0.064, 0.0))
    return driver


def _speculating() -> Driver:
    driver = _paused()
    driver.recognise("What time is it?")
    return driver


def _settling() -> Driver:
    driver = _speaking()
    driver.hear((0.256, 0.0))
    return driver


def _waiting() -> Driver:
    driver = _settling()
    driver.client("response.create")
    return driver


def _writing() -> Driver:
    driver = _session()
    driver.client("response.create")
    driver.write("It is late. ", end=None)
    return driver


def _calling() -> Driver:
    driver = _session()
    driver.client("response.create")
    driver.call("look", '{"at": ', end=None)
    return driver


def _voicing() -> Driver:
    driver = _writing()
    driver.write()
    return driver


def _speaking_over() -> Driver:
    driver = _session(turn_detection={"type": "server_vad", "interrupt_response": False})
    driver.client("response.create")
    driver.write("It is late. ", end=None)
    driver.hear((0.512, 0.9))
    return driver


def _pushing() -> Driver:
    driver = _session(turn_detection=None)
    driver.append(1.0)
    return driver


STATES: dict[State, tuple[str, Callable[[], Driver]]] = {
    State("listening", False, "none"): ("Nobody speaks, and there is nothing to answer.", _listening),
    State("speaking", False, "none"): ("Somebody speaks.", _speaking),
    State("paused", False, "none"): (
        "Somebody fell silent a moment ago, and the words are asked for, should this be the end.",
        _paused,
    ),
    State("paused", False, "speculating"): (
        "The words are known: an answer is begun on trial, of which nobody is told.",
        _speculating,
    ),
    State("listening", True, "none"): (
        "The turn is over, its item is in the conversation, its words are still being recognised.",
        _settling,
    ),
    State("listening", True, "waiting"): (
        "The client asked for a response, which waits for those words.",
        _waiting,
    ),
    State("listening", False, "writing"): ("The language model writes, the synthesiser speaks.", _writing),
    State("listening", False, "calling"): ("The language model calls a function.", _calling),
    State("listening", False, "voicing"): (
        "All is written; what is left is spoken.",
        _voicing,
    ),
    State("speaking", False, "writing"): (
        "Somebody speaks, and the answer goes on: `interrupt_response` is false.",
        _speaking_over,
    ),
    State("pushing", False, "none"): (
        "There is no turn detection: the client commits, and asks for responses. Here a second of audio waits.",
        _pushing,
    ),
}
"""What the state means, and how to get there."""


# Everything that can happen.


def _generation(driver: Driver) -> int:
    asked = driver.all(effects.Generate)
    return asked[-1].generation if asked else NOBODY


def _clause(driver: Driver) -> tuple[int, int]:
    """Return the newest clause that was to be spoken, and its generation."""
    asked = driver.all(effects.Synthesise)
    return (asked[-1].generation, asked[-1].clause) if asked else (NOBODY, 0)


def _voice(*probabilities: float) -> Callable[[Driver], Any]:
    def happened(driver: Driver) -> Any:
        asked = driver.all(effects.Listen)
        return inputs.VoiceHeard(asked[-1].listening if asked else NOBODY, list(probabilities))

    return happened


def _recognised(text: str, *, final: bool) -> Callable[[Driver], Any]:
    def happened(driver: Driver) -> Any:
        work = next((a for a in reversed(driver.all(effects.Recognise)) if a.final == final), None)
        utterance, samples = (work.utterance, len(work.pcm)) if work else (NOBODY, 0)
        return inputs.Recognised(utterance, samples, final, Transcription(text))

    return happened


def _recognition_failed(driver: Driver) -> Any:
    told = _recognised("", final=True)(driver)
    return inputs.RecognitionFailed(told.utterance, told.samples, told.final, "out of memory")


def _judged(driver: Driver) -> Any:
    told = _recognised("", final=True)(driver)
    return inputs.Judged(told.utterance, told.samples, 0.9)


@dataclass(frozen=True)
class Input:
    """Something that can happen: a client's event with its fields, or a model's answer."""

    title: str
    event: dict[str, Any] = field(default_factory=dict)
    answer: Callable[[Driver], Any] | None = None

    def happened(self, driver: Driver) -> Any:
        """Return what the state machine is told."""
        if self.answer is not None:
            return self.answer(driver)
        return msgspec.json.encode({"type": self.title.split("`")[1], **self.event})


def _client(title: str, **event: Any) -> Input:
    return Input(title, event)


def _model(title: str, answer: Callable[[Driver], Any]) -> Input:
    return Input(title, answer=answer)


INPUTS = (
    _client("`session.update`", session={"type": "realtime", "instructions": "Be brief."}),
    _client(
        "`session.update`: no turn detection",
        session={"type": "realtime", "audio": {"input": {"turn_detection": None}}},
    ),
    _client("`input_audio_buffer.append`", audio=SAMPLE),
    _client("`input_audio_buffer.commit`"),
    _client("`input_audio_buffer.clear`"),
    _client("`output_audio_buffer.clear`"),
    _client("`conversation.item.create`", item=user("Wait")),
    _client("`conversation.item.retrieve`", item_id="item_user"),
    _client("`conversation.item.truncate`", item_id="item_assistant", content_index=0, audio_end_ms=50),
    _client("`conversation.item.delete`", item_id="item_user"),
    _client("`response.create`"),
    _client("`response.create`: out of band", response={"conversation": "none", "input": []}),
    _client("`response.cancel`"),
    _model("VoiceHeard: voice", _voice(*[0.9] * 3)),
    _model("VoiceHeard: 64 ms of silence", _voice(*[0.0] * 2)),
    _model("VoiceHeard: 224 ms of silence", _voice(*[0.0] * 7)),
    _model("Recognised: so far", _recognised("What time is it", final=False)),
    _model("Recognised: finally", _recognised("What time is it?", final=True)),
    _model("Recognised: no words", _recognised("", final=True)),
    _model("RecognitionFailed", _recognition_failed),
    _model("Judged", _judged),
    _model("TextGenerated", lambda driver: inputs.TextGenerated(_generation(driver), "Good night. ")),
    _model("CallStarted", lambda driver: inputs.CallStarted(_generation(driver), "look")),
    _model("ArgumentsWritten", lambda driver: inputs.ArgumentsWritten(_generation(driver), '"me"}')),
    _model(
        "GenerationFinished",
        lambda driver: inputs.GenerationFinished(_generation(driver), Finished("stop", 40, 5, 30)),
    ),
    _model("GenerationFailed", lambda driver: inputs.GenerationFailed(_generation(driver), "out of memory")),
    _model(
        "SpeechSynthesised",
        lambda driver: inputs.SpeechSynthesised(*_clause(driver), PCM),
    ),
    _model(
        "SpeechFinished",
        lambda driver: inputs.SpeechFinished(*_clause(driver)),
    ),
    _model("Expired", lambda _driver: inputs.Expired()),
)


@dataclass(frozen=True)
class Row:
    """What came of an input in a state."""

    input: str
    after: State
    effects: tuple[str, ...]


def table() -> dict[State, list[Row]]:
    """Let everything happen in every state."""
    return {before: [_run(start, happens) for happens in INPUTS] for before, (_, start) in STATES.items()}


def _run(start: Callable[[], Driver], happens: Input) -> Row:
    driver = start()
    driver.append(0.5)  # what the voice detector has not answered yet
    asked = driver.machine.take(happens.happened(driver))
    driver.perform(asked)
    told: list[str] = []
    for effect in asked:
        if (name := _name(effect)) not in told[-1:]:
            told.append(name)
    return Row(happens.title, state(driver), tuple(told))


def _name(effect: effects.Effect) -> str:
    if not isinstance(effect, effects.Send):
        return f"**{type(effect).__name__}**"
    code = f" ({effect.event.error.code})" if isinstance(effect.event, ErrorEvent) else ""
    return f"`{effect.event.type}`{code}"
