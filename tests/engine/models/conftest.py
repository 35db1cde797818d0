"""What tests of real models share: each is loaded once."""

import asyncio

import numpy as np
import pytest

from vivavoce.audio.resample import resample
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.weights import ensure


@pytest.fixture(scope="session")
def recogniser():
    from vivavoce.engine.models.whisper import WhisperRecogniser

    model = WhisperRecogniser(asyncio.run(ensure("whisper-base")))
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="session")
def moonshine():
    from vivavoce.engine.models.moonshine import MoonshineRecogniser

    model = MoonshineRecogniser(asyncio.run(ensure("moonshine-tiny-en")))
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="session")
def synthesiser():
    from vivavoce.engine.models.hibari import HibariSynthesiser

    model = HibariSynthesiser()
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="session")
def voice_activity():
    from vivavoce.engine.models.silero import SileroVoiceActivity

    model = SileroVoiceActivity()
    yield model
    asyncio.run(model.close())


@pytest.fixture
def say(synthesiser):
    """Speak a text, at the rate of the models that listen."""

    async def spoken(text, **how):
        how.setdefault("voice", "marin")
        parts = [part async for part in synthesiser.synthesise(text, **how)]
        return resample(np.concatenate(parts), synthesiser.rate, MODEL_RATE)

    return spoken
