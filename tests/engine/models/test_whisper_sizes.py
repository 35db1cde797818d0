"""Whisper of other sizes: networks of the right shape with nothing in them, for what depends on the shape."""

import numpy as np
import pytest
from ctranslate2.specs import WhisperSpec
from tokenizers import Tokenizer, models

from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.models.whisper import WhisperRecogniser
from vivavoce.errors import ModelError

WIDTH = 8
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|transcribe|>", "<|startofprev|>"]
SPECIAL += ["<|nospeech|>", "<|notimestamps|>"]
WORLD = ["", *(f"w{number}" for number in range(51_857))]
ENGLISH = [f"w{number}" for number in range(51_856)]
"""As many as the real ones have, and the empty one: by these CTranslate2 tells those apart that know English only."""

NOISE = np.random.default_rng(0).normal(0, 0.1, MODEL_RATE).astype(np.float32)


def fill(layer, **shapes):
    for name, shape in shapes.items():
        setattr(layer, name, np.zeros(shape, np.float32))


def fill_linear(layers, *sizes):
    for layer, size in zip(layers, sizes, strict=True):
        fill(layer, weight=(size, WIDTH), bias=size)


def fill_layer(layer, attentions):
    norms = [layer.ffn.layer_norm, *(attention.layer_norm for attention in attentions)]
    for norm in norms:
        fill(norm, gamma=WIDTH, beta=WIDTH)
    fill_linear(layer.self_attention.linear, 3 * WIDTH, WIDTH)
    fill_linear([layer.ffn.linear_0], 4 * WIDTH)
    fill(layer.ffn.linear_1, weight=(WIDTH, 4 * WIDTH), bias=WIDTH)


@pytest.fixture
def build(tmp_path):
    """Make a recogniser of one layer that knows nothing."""

    def build(spoken, *, bands):
        words = spoken + SPECIAL
        size = len(words)
        spec = WhisperSpec(1, 2, 1, 2)
        fill(spec.encoder.conv1, weight=(WIDTH, bands, 3), bias=WIDTH)
        fill(spec.encoder.conv2, weight=(WIDTH, WIDTH, 3), bias=WIDTH)
        for half, places in ((spec.encoder, 1500), (spec.decoder, 448)):
            fill(half.position_encodings, encodings=(places, WIDTH))
            fill(half.layer_norm, gamma=WIDTH, beta=WIDTH)
        (layer,) = spec.encoder.layer
        fill_layer(layer, [layer.self_attention])
        (layer,) = spec.decoder.layer
        fill_layer(layer, [layer.self_attention, layer.attention])
        fill_linear(layer.attention.linear, WIDTH, 2 * WIDTH, WIDTH)
        fill(spec.decoder.embeddings, weight=(size, WIDTH))
        fill_linear([spec.decoder.projection], size)
        spec.register_vocabulary(words)
        spec.config.lang_ids = [words.index("<|en|>"), words.index("<|de|>")]
        spec.config.suppress_ids = spec.config.suppress_ids_begin = []
        spec.config.alignment_heads = [(0, 0)]
        spec.validate()
        spec.save(str(tmp_path))
        tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, "w0"))
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        return WhisperRecogniser(tmp_path)

    return build


@pytest.mark.parametrize("bands", [80, 128])
async def test_it_hears_as_many_bands_as_it_was_made_for(build, bands):
    model = build(WORLD, bands=bands)
    assert (
        await model.transcribe(NOISE, language="de")
    ).language == "de"  # any other number would be refused
    await model.close()


async def test_one_that_only_knows_english(build):
    model = build(ENGLISH, bands=80)
    assert (await model.transcribe(NOISE)).language == "en"
    start = [model._tokenizer.id_to_token(token) for token in model._start("en", None)]
    assert start == ["<|startoftranscript|>", "<|notimestamps|>"]
    with pytest.raises(ModelError, match=r"expected English, .* but got 'de'"):
        await model.transcribe(NOISE, language="de")
    await model.close()
