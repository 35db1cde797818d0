"""Sounds and files that are small enough to make on the spot."""

import io
import struct
import wave

import numpy as np

from vivavoce.engine.models.pcm_stream import SPEECH_RATE
from vivavoce.engine.models.protocols import MODEL_RATE

TONE = (10_000 * np.sin(np.arange(3000) / 7)).astype("<i2")
FLOATS = TONE.astype(np.float32) / 32768


def wav(pcm=TONE, rate=SPEECH_RATE, channels=1, width=2):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(pcm.tobytes())
    return file.getvalue()


SPEECH = (0.3 * np.sin(np.arange(MODEL_RATE) / 9)).astype(np.float32)
"""A second of what is loud enough to be speech."""

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
