"""Moonshine tiny: a recogniser for English that is small and quick, and best in quiet rooms.

Its encoder hears the audio as it is, of any length, without a spectrogram or a window to fill; its decoder is
greedy. So there is one way to listen, for partial and for final texts, at half of what a partial text costs with
Whisper base. In noise it is the worse of the two by far.

It has no notion of "nobody spoke". Of noise, clicks, knocks and hum it makes "You", notes of music, the last words
of videos, or a phrase that goes round in circles, often without any doubt; these are what is not believed here.
That leaves whistling: of a tone that glides, it may still make a "Thank you.".
"""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime

from vivavoce.engine.models.protocols import MODEL_RATE, Samples, Transcription
from vivavoce.engine.models.utterances import audible, pieces, repetitive
from vivavoce.engine.models.workers import Worker
from vivavoce.errors import ModelError

__all__ = ["MoonshineRecogniser"]

BEGIN, END = 1, 2
"""The tokens around every text."""

TOKENS_PER_SECOND = 6.5
"""Nobody speaks faster: the limit that Moonshine's authors set for English."""

SPARE_TOKENS = 4
"""Added to that, for a short utterance such as "Stop."."""

UNSURE = -1.0
"""Mean log probability below which a text is not believed: at -1.3, music gets words; at -0.7, clear questions of a
synthetic voice are lost (benchmarks/recognition.py)."""

EARNEST = -0.25
"""Mean log probability above which a text that repeats itself was spoken so, if it came to an end by itself."""

OF_NOTHING = ("you", "thank you for watching")
"""What it makes of noise and of hum; hardly anybody says no more than this."""

_NOT_ENGLISH = re.compile(r"[©♪]|[^\W\d_a-zA-ZÀ-ɏ]")
"""Signs of subtitles, and letters that are not Latin."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    text: str
    tokens: int
    at_limit: bool
    score: float


class MoonshineRecogniser:
    """Recognises English with the weights in a folder.

    ``folder`` holds ``encoder_model.ort``, ``decoder_model_merged.ort`` and ``tokenizer.bin``. One thread does all
    the work, final transcriptions before partial ones.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        try:
            self._encoder = _session(folder / "encoder_model.ort", threads)
            self._decoder = _session(folder / "decoder_model_merged.ort", threads)
            self._vocabulary = _vocabulary((folder / "tokenizer.bin").read_bytes())
        except Exception as error:
            raise ModelError(f"moonshine: {folder} cannot be loaded: {error}") from error
        self._past = {
            field.name: np.zeros((1, field.shape[1], 0, field.shape[3]), np.float32)
            for field in self._decoder.get_inputs()
            if field.name.startswith("past_key_values")
        }
        self._worker = Worker("moonshine")

    async def transcribe(
        self,
        audio: Samples,
        *,
        language: str | None = None,
        prompt: str | None = None,  # noqa: ARG002 - part of the protocol
        effort: Literal["partial", "final"] = "final",
    ) -> Transcription:
        """Transcribe one utterance; `ModelError` for any language but English.

        ``prompt`` changes nothing: Moonshine cannot be told words to expect. ``no_speech`` is 1 where nothing was
        understood and 0 elsewhere.
        """
        if language not in {None, "en"}:
            raise ModelError(
                f"moonshine: expected the language 'en', the only one it knows, but got {language!r}."
            )
        texts, tokens = [], 0
        for piece in pieces(audio):
            if not audible(piece):
                continue
            # Each piece is work of its own: cancelling drops the rest, and what is more urgent goes between.
            decoded = await self._worker.do(partial(self._recognise, piece), urgency=int(effort == "final"))
            tokens += decoded.tokens
            texts.append("" if _invented(decoded) else decoded.text)
        text = " ".join(filter(None, texts))
        return Transcription(text, float(not text), "en", tokens)

    async def warm_up(self) -> None:
        """Listen to a second of faint noise."""
        noise = np.random.default_rng(0).normal(0, 0.01, MODEL_RATE).astype(np.float32)
        await self.transcribe(noise, effort="partial")

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()

    def _recognise(self, audio: Samples) -> _Decoded:
        mask = np.ones((1, len(audio)), np.int64)
        (hidden,) = self._encoder.run(None, {"input_values": audio[None], "attention_mask": mask})
        known = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        past, token = self._past, BEGIN
        tokens: list[int] = []
        score = 0.0
        budget = int(TOKENS_PER_SECOND * len(audio) / MODEL_RATE) + SPARE_TOKENS
        for step in range(budget):
            asked = {"input_ids": np.array([[token]]), "use_cache_branch": np.array([step > 0])}
            logits, *present = self._decoder.run(None, asked | known | past)
            # What it keeps of the audio is told in the first step and empty later.
            past = {
                name: new if step == 0 or ".decoder." in name else old
                for (name, old), new in zip(past.items(), present, strict=True)
            }
            token, probability = _likeliest(logits[0, -1])
            score += probability
            if token == END:
                break
            tokens.append(token)
        data = b"".join(self._vocabulary[token] for token in tokens)
        return _Decoded(
            text=data.decode(errors="ignore").replace("\N{LOWER ONE EIGHTH BLOCK}", " ").strip(),
            tokens=len(tokens),
            at_limit=token != END,
            score=score / (len(tokens) + (token == END)),
        )


def _session(path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # it would take from its neighbours
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _vocabulary(data: bytes) -> list[bytes]:
    """Read the tokens: each follows its length, which takes a second byte, for the 128s, from 128 on."""
    tokens, at = [], 0
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * data[at], at + 1
        tokens.append(data[at : at + length])
        at += length
    return tokens


def _likeliest(logits: npt.NDArray[np.float32]) -> tuple[int, float]:
    """Return the likeliest token and its log probability."""
    token = int(logits.argmax())
    return token, -float(np.log(np.exp(logits - logits[token]).sum()))


def _invented(decoded: _Decoded) -> bool:
    words = " ".join(re.findall(r"\w+", decoded.text.lower()))
    if not words or words in OF_NOTHING or _NOT_ENGLISH.search(decoded.text):
        return True
    loops = repetitive(decoded.text) and (decoded.at_limit or decoded.score < EARNEST)
    return loops or decoded.score < UNSURE
