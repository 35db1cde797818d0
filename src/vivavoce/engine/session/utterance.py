"""One stretch of speech and what has been understood of it so far. Pure.

Recognition is asked for again and again while somebody speaks. A word becomes part of the transcript when two
hypotheses in a row agree on it and on everything before it, so that what was said to be understood is never
taken back.
"""

from dataclasses import dataclass, field

from vivavoce.engine.models.protocols import Transcription
from vivavoce.engine.session.input_audio import ms, samples

__all__ = ["LONG_MS", "PARTIAL_EVERY_MS", "Agreement", "Utterance"]

PARTIAL_EVERY_MS = 300
"""New speech between two hypotheses, each of which costs about 100 ms of one thread."""


LONG_MS = 30_000
"""What recognisers take at once. Beyond it hypotheses cost more the longer they are, and are asked for less often: a
tenth of what is beyond must be new, so that a speech of any length costs a bounded part of its duration."""


class Agreement:
    """The agreed beginning of a transcript: it only ever grows."""

    def __init__(self) -> None:
        self.text = ""
        self._last: list[str] = []

    def add(self, hypothesis: str) -> str:
        """Take the next hypothesis; return what it adds to the agreed text."""
        words = hypothesis.split()
        agreed = _common(self._last, words)
        self._last = words
        known = len(self.text.split())
        # What was agreed on stays, even where a later hypothesis begins differently.
        if len(agreed) <= known or agreed[:known] != self.text.split():
            return ""
        return self._extend(" ".join(agreed[known:]))

    def finish(self, final: str) -> str:
        """Take the final text; return what it adds, empty where it contradicts what was agreed on."""
        return self._extend(final[len(self.text) :].lstrip()) if final.startswith(self.text) else ""

    def _extend(self, words: str) -> str:
        if not words:
            return ""
        delta = f" {words}" if self.text else words
        self.text += delta
        return delta


def _common(one: list[str], other: list[str]) -> list[str]:
    agreed = []
    for a, b in zip(one, other, strict=False):
        # The last word of a hypothesis wears a full stop that the next one takes off again.
        if a.rstrip(".,…").casefold() != b.rstrip(".,…").casefold():
            break
        agreed.append(b)
    # Nor is the last common word safe: it may have been cut in the middle.
    return agreed[:-1] if len(agreed) == min(len(one), len(other)) else agreed


@dataclass(slots=True)
class Utterance:
    """Speech between two silences, as samples of all audio ever heard."""

    number: int
    item_id: str
    start: int
    agreement: Agreement = field(default_factory=Agreement)
    partial_in_flight: bool = False
    partial_at: int = 0
    """Length, in samples, of the last hypothesis asked for."""
    final_at: int | None = None
    """Length, in samples, of the final recognition asked for; None while the speaker goes on."""
    final: Transcription | None = None

    def partial_due(self, length: int) -> bool:
        """Whether enough is new for another hypothesis, now that there are so many samples."""
        return length - self.partial_at >= samples(max(PARTIAL_EVERY_MS, (ms(length) - LONG_MS) // 10))
