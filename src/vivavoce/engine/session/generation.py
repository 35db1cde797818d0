"""One answer in the making: text comes in, clauses go to the synthesiser, speech comes back. Pure.

A generation may run before anybody knows whether it is wanted: it then keeps what it makes to itself, and
gives it all, in order, to the answer that adopts it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Finished, Prompt
from vivavoce.engine.session.clauses import ClauseSplitter
from vivavoce.engine.session.effects import EndGeneration, Generate, Synthesise
from vivavoce.engine.session.outgoing import Outgoing

__all__ = ["Generation", "Piece", "Plan", "Speech"]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides what an answer will be: of equal plans, one generation is as good as another."""

    prompt: Prompt
    spoken: bool
    voice: str
    speed: float
    max_tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """Speech of a clause; ``text`` comes with its first piece, "" after that."""

    text: str
    pcm: npt.NDArray[np.int16]


Piece = str | Speech | CallStarted | ArgumentsDelta
"""Text as it is written, speech as it is spoken, calls as they are made."""


class Generation:
    """The work of the models on one answer."""

    def __init__(self, number: int, plan: Plan, out: Outgoing) -> None:
        self.number = number
        self.plan = plan
        self.finished: Finished | None = None
        self.failure: str | None = None
        self.written = 0
        """Pieces that the language model has written: about as many tokens."""
        self._out = out
        self._splitter = ClauseSplitter()
        self._clauses: list[str] = []
        self._spoken = 0
        self._begun = -1
        self._pieces: list[Piece] = []
        out.ask(Generate(number, plan.prompt, plan.max_tokens))

    @property
    def complete(self) -> bool:
        """Whether all of it has been written and, where it is to be spoken, spoken."""
        return self.finished is not None and self._spoken == len(self._clauses)

    def take(self) -> Iterator[Piece]:
        """Give away what has been made since the last time."""
        pieces, self._pieces = self._pieces, []
        return iter(pieces)

    def wrote(self, text: str) -> None:
        """Take a piece of text from the language model."""
        if not text:
            return
        self.written += 1
        self._pieces.append(text)
        if self.plan.spoken:
            self._speak(self._splitter.feed(text))

    def called(self, call: CallStarted | ArgumentsDelta) -> None:
        """Take a call, or a piece of its arguments, from the language model."""
        self.written += 1
        self._pieces.append(call)
        if self.plan.spoken and isinstance(call, CallStarted):
            self._speak(self._splitter.flush())  # what was said before it is all that will be said

    def ended(self, finished: Finished) -> None:
        """Take word that the language model is done."""
        if self.plan.spoken:
            self._speak(self._splitter.flush())
        self.finished = finished

    def spoke(self, clause: int, pcm: npt.NDArray[np.int16]) -> None:
        """Take speech from the synthesiser."""
        if len(pcm):
            text = self._clauses[clause] if clause != self._begun else ""
            self._begun = clause
            self._pieces.append(Speech(text, pcm))

    def clause_done(self) -> None:
        """Take word that a clause was spoken to its end."""
        self._spoken += 1

    def drop(self) -> None:
        """Stop the models' work and free what they hold; safe at any time."""
        self._out.ask(EndGeneration(self.number))

    def _speak(self, clauses: list[str]) -> None:
        for text in clauses:
            plan = self.plan
            self._out.ask(Synthesise(self.number, len(self._clauses), text, plan.voice, plan.speed))
            self._clauses.append(text)
