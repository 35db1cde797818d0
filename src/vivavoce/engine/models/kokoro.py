"""Kokoro: a larger neural synthesiser with more expression, for who has cores to spare.

It was trained on the phonemes that hibari, which learned from it, writes too: so hibari reads the text, and Kokoro
says it. Its weights are those of ``onnx-community/Kokoro-82M-v1.0-ONNX`` on the model hub (Apache-2.0), or any others
with the same inputs. On one core a second of speech takes half a second, eighty times as long as with hibari.
"""

import os
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from hibari import SAMPLE_RATE, Hibari
from hibari.g2p import G2P

from vivavoce.engine.models.hibari import phonemes_of, speakable, without_leading_silence
from vivavoce.engine.models.protocols import Samples, Voice
from vivavoce.engine.models.workers import Worker
from vivavoce.errors import ModelError

__all__ = ["VOICES", "KokoroSynthesiser"]

VOICES = {
    "alloy": ("af_alloy", "American English, female"),
    "ash": ("am_michael", "American English, male"),
    "ballad": ("bm_george", "British English, male"),
    "coral": ("af_bella", "American English, female"),
    "echo": ("am_echo", "American English, male"),
    "sage": ("af_kore", "American English, female"),
    "shimmer": ("bf_emma", "British English, female"),
    "verse": ("bm_fable", "British English, male"),
    "marin": ("af_heart", "American English, female"),
    "cedar": ("am_fenrir", "American English, male"),
}
"""For each of the protocol's voices one of Kokoro's."""

STYLE = 256
"""Numbers that make up a voice, for a sentence of one length."""


class KokoroSynthesiser:
    """Speaks with the network and the voices in a folder, laid out as on the hub.

    ``onnx`` in it holds the network, ``voices`` a file for each voice: 256 floats for each length of a sentence, in
    phonemes. Half of the cores work on a sentence.
    """

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, (os.cpu_count() or 2) // 2)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            (path,) = (folder / "onnx").glob("*.onnx")
            self._network = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            self._styles = {name: _style(folder / "voices" / f"{name}.bin") for name, _ in VOICES.values()}
            self._readers = {british: Hibari(g2p=G2P(british=british)) for british in (False, True)}
        except Exception as error:
            raise ModelError(f"kokoro: {folder} cannot be loaded: {error}") from error
        self._tokens, self._style, self._speed = (entry.name for entry in self._network.get_inputs())
        self._voices = {
            name: Voice(name, f"{description} (Kokoro's {kokoro})")
            for name, (kokoro, description) in VOICES.items()
        }
        self._worker = Worker("kokoro")

    @property
    def rate(self) -> int:
        """Samples per second of the audio that comes out."""
        return int(SAMPLE_RATE)

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices by the protocol's names."""
        return self._voices

    async def synthesise(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[Samples, None]:
        """Stream the speech of a text, sentence by sentence. Raises `ModelError` for an unknown voice."""
        if voice not in VOICES:
            raise ModelError(f"kokoro: expected a voice out of {', '.join(VOICES)}, but got {voice!r}.")
        spoken = speakable(text)
        if not spoken:
            return
        name = VOICES[voice][0]
        reader = self._readers[name.startswith("b")]
        first = True
        for phonemes in await self._worker.do(lambda: phonemes_of(reader, spoken)):
            audio = await self._worker.do(partial(self._say, reader.ids(phonemes), name, speed))
            if len(audio):
                yield without_leading_silence(audio) if first else audio
                first = False

    async def warm_up(self) -> None:
        """Say a word."""
        async for _ in self.synthesise("Hello.", voice=next(iter(self._voices))):
            pass

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()

    def _say(self, tokens: list[int], name: str, speed: float) -> Samples:
        styles = self._styles[name]
        length = len(tokens) - 2  # without the pads at both ends
        if length < 1:
            return np.empty(0, np.float32)
        given = {
            self._tokens: np.array([tokens], np.int64),
            self._style: styles[min(length, len(styles)) - 1][None],
            self._speed: np.array([speed], np.float32),
        }
        audio: Samples = np.asarray(self._network.run(None, given)[0], np.float32).reshape(-1)
        return audio


def _style(path: Path) -> npt.NDArray[np.float32]:
    """Read a voice: a row for each length of a sentence."""
    return np.fromfile(path, "<f4").reshape(-1, STYLE)
