"""What a GGUF file says of itself: the part of it that is needed, read without loading any weights."""

import struct
from pathlib import Path
from typing import BinaryIO

from vivavoce.errors import ModelError

__all__ = ["chat_template"]

STRING, ARRAY = 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value, by the number of its type; strings and arrays say their own length."""

LONGEST = 1 << 24
"""Bytes of a text, and items of a list; a large vocabulary has 260,000."""


def chat_template(path: Path) -> str:
    """Return the template that a model's chats are written with, in Jinja; empty when the file names none.

    Raises `ModelError` for a file that is none of GGUF, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            magic, version, _, facts = struct.unpack("<4sIQQ", file.read(24))
            if magic != b"GGUF" or version < 2:
                raise ModelError(f"expected a GGUF file of version 2 or later, and {path.name} is none.")
            for _ in range(facts):
                key, kind = _text(file), _number(file, 4)
                if key == "tokenizer.chat_template" and kind == STRING:
                    return _text(file)
                _skip(file, kind)
    except (struct.error, ValueError, KeyError) as error:
        raise ModelError(f"expected a GGUF file, and {path.name} is none, or a piece of one.") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be loaded: {error.strerror or error}.") from error
    return ""


def _number(file: BinaryIO, size: int) -> int:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("the file ends too early")
    return int.from_bytes(data, "little")


def _text(file: BinaryIO) -> str:
    return file.read(_length(file)).decode("utf-8", "replace")


def _length(file: BinaryIO) -> int:
    length = _number(file, 8)
    if length > LONGEST:
        raise ValueError(f"a length of {length}")
    return length


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == STRING:
        file.seek(_length(file), 1)
    elif kind == ARRAY:
        inner, count = _number(file, 4), _length(file)
        if inner == STRING:
            for _ in range(count):
                file.seek(_length(file), 1)
        else:
            file.seek(SIZES[inner] * count, 1)
    else:
        file.seek(SIZES[kind], 1)
