"""What the models cost here: each says or hears one sentence, and the processor time is taken.

Processor time, unlike the clock on the wall, does not count what the neighbours on a busy machine take. Work that
is done elsewhere, by a server across the network or by a graphics card, costs this machine as good as nothing, and
sets no limit here.
"""

import os
import time
from collections.abc import Callable

import numpy as np

from vivavoce.audio.resample import resample
from vivavoce.engine.capacity import Costs
from vivavoce.engine.models.protocols import (
    MODEL_RATE,
    Finished,
    Forgetful,
    LanguageModel,
    Message,
    Prompt,
    Samples,
    Synthesiser,
)
from vivavoce.engine.runtime import Models
from vivavoce.engine.session.config import DEFAULT_INSTRUCTIONS
from vivavoce.errors import ModelError

__all__ = ["measure", "usable_cores"]

SENTENCE = "How many days are there in a leap year?"
"""Two seconds of speech."""

QUESTION, ANSWER_TOKENS = "Who are you?", 4
"""Enough to tell two rates, and less than a second of a slow model."""

Clock = Callable[[], float]


def usable_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every platform
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def measure(models: Models, clock: Clock = time.process_time) -> Costs:
    """Let every model work once, one after the other, and return what that took by ``clock``, in seconds.

    They should have answered before, so that nothing is loaded any more. Raises `ModelError`.
    """
    began = clock()
    spoken = await _speak(models.synthesiser)
    synthesis = (clock() - began) / (len(spoken) / models.synthesiser.rate)
    speech = resample(spoken, models.synthesiser.rate, MODEL_RATE)

    times = [clock()]
    await models.voice_activity.open().push(speech)
    times.append(clock())
    await models.recogniser.transcribe(speech, effort="partial")
    times.append(clock())
    await models.recogniser.transcribe(speech, effort="final")
    times.append(clock())
    await models.end_of_turn.probability(speech, SENTENCE)
    times.append(clock())

    heard, partial, final, judged = np.diff(times).tolist()
    model = models.language_model
    read, write = await _think(model, clock)
    return Costs(
        voice_activity=heard / (len(speech) / MODEL_RATE),
        partial=partial,
        final=final,
        end_of_turn=judged,
        read=read,
        write=write,
        synthesis=synthesis,
        conversations=model.conversations if isinstance(model, Forgetful) else None,
    )


async def _speak(synthesiser: Synthesiser) -> Samples:
    voice = next(iter(synthesiser.voices))
    spoken = [audio async for audio in synthesiser.synthesise(SENTENCE, voice=voice)]
    if not sum(map(len, spoken)):
        raise ModelError(f"the synthesiser: expected speech for {SENTENCE!r}, but there came none.")
    return np.concatenate(spoken)


async def _think(model: LanguageModel, clock: Clock) -> tuple[float, float]:
    """Return what a token costs that is read, and one that is written."""
    prompt = Prompt((Message("system", DEFAULT_INSTRUCTIONS), Message("user", QUESTION)))
    began = clock()
    first: float | None = None
    usage = Finished("stop", 0, 0)
    async for piece in model.generate(prompt, max_tokens=ANSWER_TOKENS):
        if isinstance(piece, Finished):
            usage = piece
        elif first is None:
            first = clock()
    ended = clock()
    first = ended if first is None else first
    write = (ended - first) / max(1, usage.output_tokens - 1)
    reading = max(0.0, first - began - write)  # the first token is written, too, before it comes
    return reading / max(1, usage.input_tokens - usage.cached_tokens), write
