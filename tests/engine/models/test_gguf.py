import struct

import pytest

from vivavoce.engine.models.gguf import chat_template
from vivavoce.errors import ModelError

CHATML = "{% for message in messages %}<|im_start|>{{ message.role }}…<|im_end|>{% endfor %}"


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(template=CHATML, *, version=3):
    """Return the head of a file with a fact of every type before its template, and one behind it."""
    facts = [
        ("general.architecture", 8, text("llama")),
        ("a.byte", 0, b"\x01"),
        ("a.short", 3, b"\x01\x00"),
        ("a.float", 6, struct.pack("<f", 1.5)),
        ("a.truth", 7, b"\x01"),
        ("a.long", 10, struct.pack("<Q", 1 << 40)),
        ("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + text("a") + text("") + text("ä")),
        ("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 2) + bytes(8)),
    ]
    if template is not None:
        facts.append(("tokenizer.chat_template", 8, text(template)))
    facts.append(("the.last", 4, bytes(4)))
    head = struct.pack("<4sIQQ", b"GGUF", version, 0, len(facts))
    return head + b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in facts)


@pytest.fixture
def file(tmp_path):
    def write(data):
        path = tmp_path / "model.gguf"
        path.write_bytes(data)
        return path

    return write


def test_the_template_is_found_among_the_facts(file):
    assert chat_template(file(gguf())) == CHATML


def test_a_file_without_one(file):
    assert chat_template(file(gguf(None))) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        b"PK\x03\x04" + bytes(100),
        gguf(version=1),
        gguf()[:60],
        gguf(None)[:-20],
        gguf().replace(text("a.truth") + b"\x07", text("a.truth") + b"\x63"),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + b"\xff" * 8,
    ],
)
def test_what_is_none_is_refused(file, data):
    with pytest.raises(ModelError, match=r"model\.gguf is none"):
        chat_template(file(data))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match=r"nothing\.gguf cannot be loaded: No such file"):
        chat_template(tmp_path / "nothing.gguf")
