"""A file that grows while it is fetched."""

import os
from pathlib import Path

from vivavoce.engine.weights.catalogue import WeightFile
from vivavoce.errors import WeightsCorrupt

__all__ = ["Growing"]


class Growing:
    """What is here of a file. It never grows past the size that the catalogue names, whatever is sent."""

    def __init__(self, folder: Path, file: WeightFile) -> None:
        self.path = folder / file.name
        self._file = file
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size

    @property
    def whole(self) -> bool:
        """Whether nothing is missing; not whether it is right."""
        return self.size == self._file.size

    def cut(self, size: int) -> None:
        """Forget all bytes behind the first ``size``."""
        os.truncate(self.path, size)

    def append(self, chunk: bytes, source: str) -> int:
        """Add bytes, and return how many are here now. Raises `WeightsCorrupt` when they are too many."""
        with self.path.open("ab") as stream:
            size = stream.tell() + len(chunk)
            if size > self._file.size:
                raise WeightsCorrupt(
                    f"{self._file.name} from {source} is too long: expected {self._file.size} bytes, got more"
                )
            stream.write(chunk)
        return size
