"""A script as it is played in one session: what is heard next, what is answered next, and what did not fit. Pure."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Generated, Prompt, TextDelta
from vivavoce.testing.script import Expect, Failure, RawEvent, Script, Turn

__all__ = ["MISMATCH", "SCRIPT_ENDED", "Cue", "Heard", "Play"]

MISMATCH = "script_mismatch"
"""The code of a response that fails because something else came than its turn expects."""

SCRIPT_ENDED = "script_ended"
"""The code of a response that fails because all turns have been played."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What one response is made of."""

    pieces: tuple[Generated, ...] = ()
    delay_s: float = 0.0
    pace_s: float = 0.0
    failure: Failure | None = None
    incomplete: Literal["max_output_tokens", "content_filter"] | None = None
    emit: tuple[RawEvent, ...] = ()
    emit_after: tuple[RawEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What is understood of one utterance."""

    text: str
    failure: str | None = None
    """Why it cannot be transcribed."""


class Play:
    """One session's way through a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._next = 0
        self._understood = (0, 0)  # the next text: of which turn, and which of its texts
        self._utterances: dict[int, Heard] = {}
        self.problems: list[str] = []
        """What came, but was not expected."""

    @property
    def unplayed(self) -> int:
        """How many turns have never been played, or heard where that is all."""
        return sum(
            number >= self._next and (turn.answers or self._understood < (number, max(1, len(turn.heard))))
            for number, turn in enumerate(self._script.turns)
        )

    def hear(self, utterance: int) -> Heard:
        """Return what is understood of an utterance, by its number; the same one is heard alike each time."""
        if utterance not in self._utterances:
            self._utterances[utterance] = self._hear()
        return self._utterances[utterance]

    def begin(self, prompt: Prompt) -> Cue:
        """Go on to the next turn, and return what is answered to ``prompt``."""
        for _ in self._script.turns:
            if (turn := self._turn(self._next)) is None or turn.answers:
                break
            self._next += 1  # it was only to be heard
        number = self._next
        self._next += 1
        if turn is None or not turn.answers:
            many = self._script.length
            return self._fail(
                SCRIPT_ENDED, f"The script has {many}, and a response was asked for after that."
            )
        expected = turn.expected
        problem = _unexpected(expected, prompt) or _uncallable(turn, prompt)
        if problem is not None:
            return self._fail(
                MISMATCH, f"Turn {number % len(self._script.turns) + 1} of the script: {problem}"
            )
        return self._cue(turn)

    def _turn(self, number: int) -> Turn | None:
        turns = self._script.turns
        if number < len(turns):
            return turns[number]
        match self._script.after:
            case "repeat":
                return turns[number % len(turns)]
            case "last":
                return turns[-1]
            case "error":
                return None

    def _hear(self) -> Heard:
        number, index = max(self._understood, (self._next, 0))
        turn = self._turn(number)
        while turn is not None and index >= max(1, len(turn.heard)) and number < len(self._script.turns):
            number, index = number + 1, 0
            turn = self._turn(number)
        if turn is None:
            return Heard(self._script.hear)
        self._understood = (number, index + 1)
        text = turn.heard[index] if index < len(turn.heard) else self._script.hear
        failed = turn.fail_transcription
        if failed:
            return Heard(text, failed if isinstance(failed, str) else "The script fails this transcription.")
        return Heard(text)

    def _cue(self, turn: Turn) -> Cue:
        script = self._script
        pieces: list[Generated] = [TextDelta(words) for words in turn.words]
        for call in turn.calls:
            pieces += [CallStarted(call.name), *map(ArgumentsDelta, _cut(call.text))]
        return Cue(
            pieces=tuple(pieces),
            delay_s=(script.delay_ms if turn.delay_ms is None else turn.delay_ms) / 1000,
            pace_s=(script.pace_ms if turn.pace_ms is None else turn.pace_ms) / 1000,
            failure=turn.failure,
            incomplete=turn.incomplete,
            emit=tuple(turn.emit),
            emit_after=tuple(turn.emit_after),
        )

    def _fail(self, code: str, message: str) -> Cue:
        self.problems.append(message)
        return replace(Cue(), failure=Failure(message, code=code))


def _cut(arguments: str) -> list[str]:
    """Cut arguments into pieces about as a language model writes them."""
    return re.findall(r"\w+|\W+", arguments)


def _unexpected(expected: Expect, prompt: Prompt) -> str | None:
    """Say what of a prompt is not as expected, or None."""
    said = next((message.text for message in reversed(prompt.messages) if message.role == "user"), None)
    if expected.user is not None and said != expected.user:
        return f"expected the user to say {expected.user!r}, {_came(said)}"
    if expected.user_matches is not None and not re.search(expected.user_matches, said or ""):
        return f"expected the user to say something that matches {expected.user_matches!r}, {_came(said)}"
    outputs = _outputs(prompt)
    if expected.output is not None and not any(_equal(output, expected.output) for output in outputs):
        return f"expected the output of a function to be {expected.output!r}, {_gave(outputs)}"
    pattern = expected.output_matches
    if pattern is not None and not any(re.search(pattern, output) for output in outputs):
        return f"expected the output of a function to match {pattern!r}, {_gave(outputs)}"
    return None


def _uncallable(turn: Turn, prompt: Prompt) -> str | None:
    """Say which call the session does not allow, or None: no endpoint calls what was not declared."""
    declared = [function.name for function in prompt.functions]
    for call in turn.calls:
        if call.name not in declared:
            return f"expected the session to declare the function {call.name!r}, got {', '.join(declared) or 'none'}."
    if turn.calls and prompt.tool_choice == "none":
        return f"it calls {turn.calls[0].name!r}, and the session's tool_choice is 'none'."
    return None


def _outputs(prompt: Prompt) -> list[str]:
    """Return what functions gave since the assistant spoke last."""
    outputs: list[str] = []
    for message in reversed(prompt.messages):
        if message.role == "assistant":
            break
        if message.role == "tool":
            outputs.insert(0, message.text)
    return outputs


def _equal(output: str, expected: Any) -> bool:
    if isinstance(expected, str):
        return output == expected
    try:
        return bool(json.loads(output) == expected)
    except ValueError:
        return False


def _came(said: str | None) -> str:
    return f"got {said!r}." if said is not None else "but the user has said nothing."


def _gave(outputs: list[str]) -> str:
    return f"got {', '.join(map(repr, outputs))}." if outputs else "but there is none."
