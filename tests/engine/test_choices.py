import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vivavoce.engine import choices
from vivavoce.engine.choices import KNOWN, SHORT, Http, HubFiles, Known, Local, Wyoming, parse
from vivavoce.engine.weights import CATALOGUE
from vivavoce.errors import VivaVoceError

PARTS = ("language_model", "recogniser", "synthesiser")


@pytest.mark.parametrize(
    ("part", "text", "choice"),
    [
        ("language_model", "qwen2.5-coder-0.5b", Known("qwen2.5-coder-0.5b")),
        ("recogniser", " whisper-base\n", Known("whisper-base")),
        ("synthesiser", "hibari", Known("hibari")),
        ("recogniser", "whisper-small", HubFiles("Systran/faster-whisper-small")),
        (
            "language_model",
            "http://localhost:11434/v1#qwen3:4b",
            Http("http://localhost:11434/v1", "qwen3:4b"),
        ),
        ("language_model", "HTTPS://api.example.com/v1/#gpt", Http("https://api.example.com/v1", "gpt")),
        ("language_model", "http://h#org/m:Q4_K_M", Http("http://h", "org/m:Q4_K_M")),
        ("recogniser", "http://[::1]:8000/v1#whisper", Http("http://[::1]:8000/v1", "whisper")),
        (
            "synthesiser",
            "http://h:8880/v1?voice=af_heart#kokoro",
            Http("http://h:8880/v1", "kokoro", "af_heart"),
        ),
        ("recogniser", "wyoming://homeassistant.local:10300", Wyoming("homeassistant.local", 10300)),
        ("recogniser", "wyoming://[::1]:10300/", Wyoming("::1", 10300)),
        (
            "synthesiser",
            "wyoming://h:10200?voice=de_DE-thorsten-medium",
            Wyoming("h", 10200, "de_DE-thorsten-medium"),
        ),
        ("language_model", "hub:org/repo/model.gguf", HubFiles("org/repo", "model.gguf")),
        ("language_model", "hub:org/repo@v1/Q4/m.gguf", HubFiles("org/repo", "Q4/m.gguf", "v1")),
        ("recogniser", "hub:org/faster-whisper", HubFiles("org/faster-whisper")),
        ("recogniser", "hub:org/faster-whisper@abc", HubFiles("org/faster-whisper", revision="abc")),
        ("synthesiser", "kokoro", HubFiles("onnx-community/Kokoro-82M-v1.0-ONNX")),
        ("synthesiser", "hub:org/kokoro", HubFiles("org/kokoro")),
        ("synthesiser", "./kokoro", Local(Path("kokoro"))),
        ("language_model", "./m.gguf", Local(Path("m.gguf"))),
        ("language_model", "../m.gguf", Local(Path("../m.gguf"))),
        ("language_model", "/models/m@home.gguf", Local(Path("/models/m@home.gguf"))),
        ("recogniser", "~/whisper", Local(Path.home() / "whisper")),
        ("recogniser", "C:\\models\\whisper", Local(Path("C:\\models\\whisper"))),
    ],
)
def test_what_is_written_and_what_it_is(part, text, choice):
    assert parse(part, text) == choice


def test_every_example_of_the_table_is_one():
    examples = re.findall(r"^``([^`]+)``(?:, ``([^`]+)``)?", choices.__doc__, re.MULTILINE)
    texts = [text for pair in examples for text in pair if text]
    assert len(texts) == 10
    for text in texts:
        assert any(_taken(part, text) for part in PARTS), text


def _taken(part, text):
    try:
        return parse(part, text)
    except VivaVoceError:
        return None


@pytest.mark.parametrize(
    ("part", "text", "why"),
    [
        (
            "language_model",
            "gpt-4",
            r"expected qwen2.5-coder-1.5b, .*http://host:port/v1#model, .*; got 'gpt-4'",
        ),
        ("recogniser", "", r"expected whisper-base, .*wyoming://host:port, .*; got ''"),
        ("recogniser", "hibari", "expected whisper-base, .*; got 'hibari'"),
        ("synthesiser", "ftp://host/x", "expected hibari, .*; got 'ftp://host/x'"),
        ("synthesiser", "hub:org/kokoro/model.onnx", "expected hibari"),
        ("language_model", "wyoming://h:1", "expected qwen2.5.*; got 'wyoming://h:1'"),
        (
            "language_model",
            "http://h:11434/v1",
            "expected the model's name behind a #, as in http://h:11434/v1#model",
        ),
        ("language_model", "http:///v1#m", "expected an address with a host"),
        ("language_model", "http://h:port/v1#m", "expected an address with a host and a port"),
        ("language_model", "http://h:70000/v1#m", "expected an address with a host and a port"),
        (
            "language_model",
            "http://h/v1?voice=x#m",
            "expected nothing behind the . of the address, got voice",
        ),
        ("synthesiser", "http://h/v1?key=sk-secret#m", "but voice=name, got key"),
        ("synthesiser", "http://h/v1?voice=#m", "but voice=name, got voice"),
        ("recogniser", "wyoming://h", "expected wyoming://host:port, got 'wyoming://h'"),
        ("recogniser", "wyoming://h:1#base", "expected wyoming://host:port"),
        ("recogniser", "wyoming://h:1/x", "expected wyoming://host:port"),
        ("language_model", "hub:org/repo", "hub:org/repo/file.gguf"),
        ("language_model", "hub:org/repo/../m.gguf", "hub:org/repo/file.gguf"),
        ("language_model", "hub:m.gguf", "hub:org/repo/file.gguf"),
        ("recogniser", "hub:org/repo/model.bin", "hub:org/repo or"),
        ("language_model", "./folder", "a path such as ./file.gguf"),
    ],
)
def test_what_is_wrong_is_told_with_what_was_expected(part, text, why):
    with pytest.raises(VivaVoceError, match=why):
        parse(part, text)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@host/v1#m",
        "wyoming://user:hunter2@host:1",
        "ftp://user:hunter2@host",
        "https://hunter2@host:x/v1#m",
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_a_secret_in_an_address_is_refused_and_not_repeated(part, text):
    with pytest.raises(VivaVoceError, match="expected") as refused:
        parse(part, text)
    assert "hunter2" not in str(refused.value)


def test_a_key_goes_to_a_server_and_is_not_shown():
    choice = parse("language_model", "https://api.example.com/v1#gpt", "sk-secret")
    assert choice.key == "sk-secret"
    assert "sk-secret" not in f"{choice} {choice!r}"


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (Known("hibari"), "hibari"),
        (Http("http://h:1/v1", "qwen3:4b"), "qwen3:4b at h:1"),
        (Wyoming("h", 10300), "wyoming at h:10300"),
        (HubFiles("org/repo", "m.gguf"), "org/repo/m.gguf"),
        (HubFiles("org/repo"), "org/repo"),
        (Local(Path("/models/m.gguf")), "m.gguf"),
    ],
)
def test_what_people_read(choice, name):
    assert str(choice) == name


@example("recogniser", "~nobody-of-this-name/model")
@given(
    st.sampled_from(PARTS), st.text(max_size=40) | st.from_regex(r"(http|wyoming)://\S{0,20}|hub:\S{0,20}")
)
def test_whatever_is_written_is_taken_or_refused(part, text):
    choice = _taken(part, text)
    assert choice is None or str(choice)


def test_ours_are_in_the_catalogue():
    names = {name for part in PARTS for name in KNOWN[part]} - {"hibari"}
    assert names < CATALOGUE.keys()
    assert not names & {name for part in PARTS for name in SHORT[part]}
