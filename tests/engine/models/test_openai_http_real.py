"""The chat client against a real server: llama.cpp's, on a port of loopback, with a key."""

import asyncio

import pytest
import xllamacpp

from vivavoce.engine.models.http_server import HttpServer
from vivavoce.engine.models.openai_http import HttpLanguageModel
from vivavoce.engine.models.protocols import (
    Call,
    Finished,
    Function,
    Message,
    Prompt,
    TextDelta,
)
from vivavoce.engine.weights import ensure
from vivavoce.errors import ModelError

pytestmark = pytest.mark.models

KEY = "a-key-for-llama"
LIGHT = Function(
    "switch_light",
    "Switch the light on or off.",
    '{"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]}',
)


@pytest.fixture(scope="module")
def server():
    folder = asyncio.run(ensure("smollm2-135m"))
    params = xllamacpp.CommonParams()
    params.model.path = str(next(folder.glob("*.gguf")))
    params.verbosity = 1
    params.n_ctx, params.n_parallel = 2048, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys = [KEY]
    return xllamacpp.Server(params)


@pytest.fixture
async def model(server):
    model = HttpLanguageModel(HttpServer(f"{server.listening_address}/v1", model="smollm2", key=KEY))
    yield model
    await model.close()


def said(text, **how):
    return Prompt((Message("user", text),), **how)


async def answer(model, prompt, max_tokens):
    *pieces, finished = [
        piece async for piece in model.generate(prompt, max_tokens=max_tokens, temperature=0.0)
    ]
    assert isinstance(finished, Finished)
    return pieces, finished


async def test_it_answers_in_pieces_and_counts_them(model):
    pieces, finished = await answer(model, said("Count to five: one, two"), 30)
    assert "three" in "".join(piece.text for piece in pieces)
    assert len(pieces) > 3
    assert finished.input_tokens > 10
    assert len(pieces) <= finished.output_tokens <= 30


async def test_what_was_read_before_is_counted_too(model):
    question = said("Tell me of the sea. " * 20)
    await answer(model, question, 1)
    _, finished = await answer(model, question, 1)
    assert 50 < finished.cached_tokens <= finished.input_tokens


async def test_it_ends_at_its_length(model):
    _, finished = await answer(model, said("Tell me a long story about the sea."), 5)
    assert (finished.reason, finished.output_tokens) == ("length", 5)


async def test_it_takes_what_a_call_gave(model):
    conversation = (
        Message("user", "Light on!"),
        Message("assistant", calls=(Call("call_1", "switch_light", '{"on": true}'),)),
        Message("tool", "The light is on.", call_id="call_1"),
    )
    pieces, _ = await answer(model, Prompt(conversation, functions=(LIGHT,), tool_choice="none"), 8)
    assert pieces
    assert all(isinstance(piece, TextDelta) for piece in pieces)


async def test_an_answer_that_is_left_frees_the_server(model):
    pieces = model.generate(said("Tell me a very long story about the sea."), max_tokens=1500)
    await anext(pieces)
    await pieces.aclose()
    async with asyncio.timeout(10):
        await answer(model, said("Hello."), 1)


async def test_without_the_key_it_is_refused(server):
    model = HttpLanguageModel(HttpServer(f"{server.listening_address}/v1", model="smollm2", key="wrong"))
    with pytest.raises(ModelError, match="answered 401 Unauthorized"):
        await model.warm_up()
    await model.close()
