"""How many sessions the models hold in real time. Pure.

A session costs what its models cost, in processor time (`Costs`), as often as its speakers set them to work
(`Duty`). With a turn every ``T`` seconds, that many seconds of processor time go by in a second of a session::

    voice activity    c · 1                              all of the audio, whoever speaks
    recogniser        (c_partial · speech / 0.3 s + c_final · pauses) / T
    end of turn       c · pauses / T
    language model    (c_read · read · pauses + c_write · written) / T
    synthesiser       c · answer / T
    session           c · 1                              events, base64, resampling: the rest of the engine

All sessions together may take `UTILISATION` of the cores, and of the threads of each model.

What is assumed: speakers do not wait for each other, so that turns come at random; a processor's second is the
same whichever model spends it; what one model takes from the caches of another does not matter; every pause sets
the language model to work (it thinks ahead), and what it wrote for a pause that ended no turn is little, because
the speaker goes on; prompts share their beginning with the turn before.
"""

import math
from dataclasses import dataclass

from vivavoce.engine.models.threads import language_model_threads
from vivavoce.engine.session.utterance import PARTIAL_EVERY_MS

__all__ = ["SESSION_COST", "UTILISATION", "Costs", "Duty", "capacity", "loads"]

UTILISATION = 0.7
"""Share of the processors that may be busy on the average. Work that comes at random waits longer the fuller they
are: where all pieces are alike, for 1.2 times its own duration at 0.7, for 4.5 times at 0.9 (Pollaczek-Khinchine)."""

SESSION_COST = 0.003
"""Seconds of the event loop in a second of a session. `experiments/session_cost.py` finds 0.0011 for 24 kHz audio in
frames of 40 ms and models that cost nothing; answers, and a gateway that carries both ways, take as much again each."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What models cost, in seconds of processor time of all their threads together."""

    voice_activity: float
    """Per second of audio."""
    partial: float
    """Per partial transcription, of half a turn: they come all through it, from the first word to the last."""
    final: float
    """Per final transcription."""
    end_of_turn: float
    """Per pause that is judged."""
    read: float
    """Per token of a prompt that is new."""
    write: float
    """Per token of an answer."""
    synthesis: float
    """Per second of speech."""
    conversations: int | None = None
    """How many conversations the language model keeps what it read of; None where that is not ours to count."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Who speaks when: a question, its answer, and silence until the next question."""

    turn_every_s: float = 20.0
    """From one question to the next."""
    speech_s: float = 4.0
    """A question."""
    answer_s: float = 10.0
    """Its answer: some thirty words, as long as those of our profiles are."""
    pauses: float = 1.5
    """Silences of a question after which the turn may be over; the last one ends it."""
    read_tokens: float = 25.0
    """Prompt tokens of a question, with what the template puts around it."""
    written_tokens: float = 40.0
    """Tokens of an answer."""


def loads(costs: Costs, duty: Duty | None = None) -> dict[str, float]:
    """Return the share of one processor that a session takes, by model."""
    duty = duty or Duty()
    turn = duty.turn_every_s
    partials = duty.speech_s * 1000 / PARTIAL_EVERY_MS
    return {
        "voice_activity": costs.voice_activity,
        "recogniser": (costs.partial * partials + costs.final * duty.pauses) / turn,
        "end_of_turn": costs.end_of_turn * duty.pauses / turn,
        "language_model": (costs.read * duty.read_tokens * duty.pauses + costs.write * duty.written_tokens)
        / turn,
        "synthesiser": costs.synthesis * duty.answer_s / turn,
        "session": SESSION_COST,
    }


def capacity(costs: Costs, cores: int, duty: Duty | None = None) -> int:
    """Return how many sessions ``cores`` hold in real time; one at least, or there would be none at all.

    The language model computes on `language_model_threads`, every other part on one. Of more
    conversations than the language model keeps, each would push another out, and be read again at every turn.
    """
    shares = loads(costs, duty)
    threads = {"language_model": language_model_threads(cores)}
    bounds = [cores * UTILISATION / sum(shares.values())]
    bounds += [threads.get(part, 1) * UTILISATION / share for part, share in shares.items() if share > 0]
    if costs.conversations is not None:
        bounds.append(costs.conversations)
    return max(1, math.floor(min(bounds)))
