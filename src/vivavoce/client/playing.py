"""Sound between the endpoint and the ear, for who wants to know what was heard and not only how much. Pure."""

from collections import deque

import numpy as np

from vivavoce.audio.pcm import Pcm

__all__ = ["Playing"]


class Playing:
    """Takes sound as it is given to a speaker, and gives it out as it is heard."""

    def __init__(self) -> None:
        self._chunks: deque[Pcm] = deque()
        self._taken = 0

    def add(self, pcm: Pcm) -> None:
        """Take what is played after all else."""
        self._chunks.append(pcm)

    def take(self, heard: int) -> Pcm:
        """Return what was heard since it was last asked, given how many samples were heard since the beginning."""
        parts: list[Pcm] = []
        while self._chunks and heard > self._taken:
            chunk = self._chunks.popleft()
            part, rest = np.split(chunk, [heard - self._taken])
            if rest.size:
                self._chunks.appendleft(rest)
            parts.append(part)
            self._taken += len(part)
        return np.concatenate(parts) if parts else np.empty(0, np.int16)
