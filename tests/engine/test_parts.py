"""Each loader against a server or the weights that it is for; what it opened, the stack closes."""

from contextlib import AsyncExitStack

import numpy as np
import pytest

from tests.engine.models.http_double import HttpDouble, chunk, refuse, stream
from tests.engine.models.samples import SPEECH, TONE, gguf
from tests.engine.models.wyoming_double import HEARS, PIPER, Ear, WyomingDouble, mouth
from vivavoce.engine import parts
from vivavoce.engine.choices import Http, HubFiles, Known, Local, Wyoming
from vivavoce.engine.models.protocols import Message, Prompt
from vivavoce.engine.weights import ensure
from vivavoce.errors import ModelError


@pytest.fixture
async def http():
    async with HttpDouble().serve() as double:
        yield double


@pytest.fixture
async def stack():
    async with AsyncExitStack() as stack:
        yield stack


class TestHttp:
    async def test_a_language_model(self, http, stack):
        http.answer = stream(f"data: {chunk('stop', content='Hi.')}\n\n".encode())
        model = await parts.load_language_model(Http(http.url, "qwen3", key="sk"), None, stack)
        assert len(http.asked) == 1  # it has answered once
        assert (model.name, http.asked[0].key) == ("qwen3", "Bearer sk")
        await stack.aclose()
        with pytest.raises(ModelError, match="it is closed"):
            await anext(model.generate(Prompt((Message("user", "Hi"),)), max_tokens=1))

    async def test_a_recogniser(self, http, stack):
        http.answer = refuse(200, '{"text": "Hi."}')
        model = await parts.load_recogniser(Http(http.url, "whisper-1", key="sk"), None, stack)
        assert (await model.transcribe(SPEECH)).text == "Hi."
        assert (await model.transcribe(SPEECH, effort="partial")).text == ""  # with a key, none is bought
        assert [asked.key for asked in http.asked] == ["Bearer sk"] * 2

    async def test_a_recogniser_without_a_key(self, http, stack):
        http.answer = refuse(200, '{"text": "Hi."}')
        model = await parts.load_recogniser(Http(http.url, "whisper-1"), None, stack)
        assert (await model.transcribe(SPEECH, effort="partial")).text == "Hi."

    async def test_a_synthesiser(self, http, stack):
        http.answer = stream(TONE.tobytes(), kind="audio/pcm")
        model = await parts.load_synthesiser(Http(http.url, "kokoro", "af_heart", "sk"), None, stack)
        assert (http.asked[0].key, http.asked[0].body["voice"]) == ("Bearer sk", "af_heart")
        assert "af_heart" in model.voices["alloy"].description

    @pytest.mark.parametrize("load", [parts.load_language_model, parts.load_recogniser])
    async def test_what_cannot_answer_is_told_and_closed(self, http, stack, load):
        http.answer = refuse(401, '{"error": {"message": "wrong key"}}')
        with pytest.raises(ModelError, match="answered 401 Unauthorized: wrong key"):
            await load(Http(http.url, "m"), None, stack)


class TestWyoming:
    async def test_a_recogniser(self, stack):
        async with WyomingDouble(HEARS, hear=Ear("Hi.")).serve() as double:
            model = await parts.load_recogniser(Wyoming("127.0.0.1", double.port), None, stack)
            assert (await model.transcribe(SPEECH)).text == "Hi."

    async def test_a_synthesiser(self, stack):
        say = mouth((TONE.tobytes(), 22_050, 2, 1))
        async with WyomingDouble(PIPER, say=say).serve() as double:
            choice = Wyoming("127.0.0.1", double.port, "de_DE-thorsten-medium")
            model = await parts.load_synthesiser(choice, None, stack)
        assert say.asked[0].voice.name == "de_DE-thorsten-medium"
        assert model.rate == 24_000


class TestFiles:
    async def test_weights_of_the_catalogue_are_fetched(self, monkeypatch, tmp_path):
        async def ensure(name, *, progress):
            progress("half")
            return tmp_path / name

        told = []
        monkeypatch.setattr(parts, "ensure", ensure)
        assert (
            await parts.fetch("recogniser", Known("whisper-base"), told.append) == tmp_path / "whisper-base"
        )
        assert told == ["half"]

    @pytest.mark.parametrize("choice", [Known("hibari"), Http("http://h/v1", "m"), Wyoming("h", 1)])
    async def test_what_needs_no_files_gets_none(self, choice):
        assert await parts.fetch("synthesiser", choice, print) is None

    async def test_a_path_is_where_it_is(self, tmp_path):
        assert await parts.fetch("recogniser", Local(tmp_path), print) == tmp_path

    async def test_a_file_of_the_hub_is_that_file(self, monkeypatch, tmp_path):
        async def ensure_from_hub(repo, file, *, layout, revision, progress):
            return tmp_path / layout.title

        monkeypatch.setattr(parts, "ensure_from_hub", ensure_from_hub)
        file = await parts.fetch("language_model", HubFiles("org/repo", "Q4/m.gguf"), print)
        assert file.relative_to(tmp_path).parts[1:] == ("Q4", "m.gguf")
        whole = [
            await parts.fetch(part, HubFiles("org/repo"), print) for part in ("recogniser", "synthesiser")
        ]
        assert [folder.name for folder in whole] == ["Whisper for CTranslate2", "Kokoro for onnxruntime"]

    @pytest.mark.parametrize("template", [None, "{{ '<start_of_turn>user' }}"])
    async def test_a_model_with_another_template_is_refused_with_advice(self, tmp_path, stack, template):
        path = tmp_path / "gemma.gguf"
        path.write_bytes(gguf(template))
        with pytest.raises(ModelError, match=r"gemma\.gguf: expected a chat model with the template ChatML"):
            await parts.load_language_model(Local(path), path, stack)

    @pytest.mark.parametrize(
        "load", [parts.load_language_model, parts.load_recogniser, parts.load_synthesiser]
    )
    async def test_a_path_without_a_model_is_named(self, tmp_path, stack, load):
        missing = tmp_path / "nothing.gguf"  # whatever it is that should be there
        with pytest.raises(ModelError, match=r"nothing\.gguf cannot be loaded"):
            await load(Local(missing), missing, stack)


@pytest.mark.models
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("recogniser", "whisper-base"),
        ("recogniser", "moonshine-tiny-en"),
        ("end_of_turn", "smart-turn-v3.2"),
        ("language_model", "smollm2-135m"),
    ],
)
async def test_our_own_models_answer(part, name, stack):
    choice = Known(name)
    load = getattr(parts, f"load_{part}")
    model = await load(choice, await parts.fetch(part, choice, lambda _: None), stack)
    if part == "recogniser":
        assert (await model.transcribe(np.zeros(16_000, np.float32))).text == ""
    elif part == "end_of_turn":
        assert 0 <= await model.probability(SPEECH, "") <= 1
    else:
        assert model.name == name


@pytest.mark.models
async def test_a_gguf_file_of_this_machine(stack):
    (path,) = (await ensure("smollm2-135m")).glob("*.gguf")
    model = await parts.load_language_model(Local(path), path, stack)
    assert model.name == path.name


async def test_voice_activity_and_speech(stack):
    assert (await parts.load_voice_activity(stack)).step == 512
    assert (await parts.load_synthesiser(Known("hibari"), None, stack)).rate == 24_000
