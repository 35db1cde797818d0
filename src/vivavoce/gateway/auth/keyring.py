"""The file of keys, read again when it changes, so that a key that is removed lets nobody in from then on."""

import logging
from pathlib import Path

from vivavoce.gateway.auth.keys import Key, KeyFileError, Keys, read

__all__ = ["KeyRing"]

_log = logging.getLogger(__name__)

_Version = tuple[int, int, int]


class KeyRing:
    """The keys of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = Keys({})
        self._version: _Version | None = None

    def load(self) -> None:
        """Read the file. Raises `KeyFileError` when it is wrong."""
        self._version = self._look()
        self._keys = Keys.of(read(self._path))

    def find(self, value: str, now: float) -> Key | None:
        """Return the key with this value. A file that has become unreadable lets nobody in."""
        if self._look() != self._version:
            try:
                self.load()
            except KeyFileError as error:
                self._keys = Keys({})
                _log.error("nobody is let in: %s", error)
        return self._keys.find(value, now)

    def _look(self) -> _Version | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
