import struct

import pytest

from tests.engine.models.samples import CHATML, gguf, text
from vivavoce.engine.models.gguf import chat_template
from vivavoce.errors import ModelError


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
