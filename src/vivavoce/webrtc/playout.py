"""What an endpoint says, on its way to the ear: it comes in bursts, and goes at the pace of speech. Pure.

Whoever plays takes a frame every 20 ms. So here is known what was really played, which decides how much of an answer
is remembered once it is interrupted.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from vivavoce.audio.pcm import Pcm

__all__ = ["FRAME_SAMPLES", "MOST_SECONDS", "RATE", "Played", "Playout"]

RATE = 24_000
"""Samples per second of what endpoints say."""

FRAME_SAMPLES = RATE // 50
"""20 ms: what a packet carries."""

MOST_SECONDS = 600
"""Speech that may wait: an answer takes no longer. What comes beyond it is not played."""


@dataclass(frozen=True, slots=True)
class Played:
    """How much of an item's audio was played: the fields of ``conversation.item.truncate``."""

    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(slots=True)
class _Piece:
    response_id: str
    item_id: str
    content_index: int
    chunks: deque[Pcm]
    waiting: int = 0
    played: int = 0


class Playout:
    """Takes speech in chunks of any length, gives it out in frames of 20 ms."""

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Samples that were not played yet."""
        return self._waiting

    @property
    def response_id(self) -> str | None:
        """The response that is played next; None where nothing waits."""
        return next((piece.response_id for piece in self._pieces if piece.waiting), None)

    def add(self, response_id: str, item_id: str, content_index: int, pcm: Pcm) -> None:
        """Take more speech of an item."""
        if self._waiting + len(pcm) > MOST_SECONDS * RATE:
            return
        piece = self._pieces[-1] if self._pieces else None
        if piece is None or (piece.item_id, piece.content_index) != (item_id, content_index):
            piece = _Piece(response_id, item_id, content_index, deque())
            self._pieces.append(piece)
        piece.chunks.append(pcm)
        piece.waiting += len(pcm)
        self._waiting += len(pcm)

    def take(self) -> Pcm | None:
        """Return the next 20 ms, with silence behind the end of what waits; None where nothing does."""
        if not self._waiting:
            return None
        frame = np.zeros(FRAME_SAMPLES, np.int16)
        filled = 0
        for piece in list(self._pieces):
            if not piece.waiting and piece is not self._pieces[-1]:
                self._pieces.popleft()  # it has been played, and nothing more of it will come
            filled += _fill(frame[filled:], piece)
            if filled == FRAME_SAMPLES:
                break
        self._waiting -= filled
        return frame

    def clear(self) -> list[Played]:
        """Be silent at once; return how much was played of each item that was not played to its end."""
        unplayed = [
            Played(piece.item_id, piece.content_index, piece.played * 1000 // RATE)
            for piece in self._pieces
            if piece.waiting
        ]
        self._pieces.clear()
        self._waiting = 0
        return unplayed


def _fill(frame: Pcm, piece: _Piece) -> int:
    """Write what there is of a piece to the beginning of ``frame``; return how many samples that are."""
    filled = 0
    while filled < len(frame) and piece.chunks:
        chunk = piece.chunks[0]
        part = chunk[: len(frame) - filled]
        frame[filled : filled + len(part)] = part
        filled += len(part)
        if len(part) < len(chunk):
            piece.chunks[0] = chunk[len(part) :]
        else:
            piece.chunks.popleft()
    piece.waiting -= filled
    piece.played += filled
    return filled
