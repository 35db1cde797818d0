"""Weights that the catalogue does not know: whatever somebody names on the model hub.

The hub is asked once what it holds under the name, and what it says (the commit, sizes and hashes) is kept beside
the files. From then on they are weights like all others: fetched from that commit, verified by those hashes, and
used without any network.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from vivavoce.engine.weights.cache import Shelf, default_root, write_atomically
from vivavoce.engine.weights.catalogue import Hub, WeightFile, Weights
from vivavoce.engine.weights.fetch import obtain, offline
from vivavoce.engine.weights.hub import Listing, listing
from vivavoce.engine.weights.progress import Progress
from vivavoce.errors import WeightsUnavailable

__all__ = ["WHISPER_FILES", "ensure_from_hub"]

WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a repository with Whisper for CTranslate2 must hold, beside a vocabulary."""

VOCABULARIES = ("vocabulary.json", "vocabulary.txt")

NOTE = ".hub.json"

_SPLIT = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<count>\d{5})\.gguf")
"""One of the files that a large model was cut into."""


@dataclass(frozen=True, slots=True)
class _Note:
    """What is kept of a listing."""

    commit: str
    files: tuple[WeightFile, ...]


async def ensure_from_hub(
    repo: str,
    file: str = "",
    *,
    revision: str = "main",
    progress: Callable[[Progress], None] | None = None,
    root: Path | None = None,
) -> Path:
    """Return the folder with a file of a repository, or, where none is named, with its Whisper for CTranslate2.

    Raises `WeightsUnavailable` and `WeightsCorrupt`, as `ensure` does.
    """
    name = "/".join(filter(None, (repo, "" if revision == "main" else f"@{revision}", file)))
    folder = (root or default_root()) / _weights(name, repo, file, _Note("", ())).folder
    note = _kept(folder / NOTE)
    if note is None:
        if variable := offline():
            raise WeightsUnavailable(
                f"{name} is not in {folder}, and {variable} forbids to look for it: unset it, or name files "
                "of this machine"
            )
        note = _note(await listing(repo, revision), repo, file)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / NOTE, json.dumps(asdict(note)))
        except OSError as error:
            raise WeightsUnavailable(
                f"{name} cannot be kept in {folder}: {error.strerror or error}"
            ) from error
    return await obtain(Shelf(_weights(name, repo, file, note), root), progress)


def _weights(name: str, repo: str, file: str, note: _Note) -> Weights:
    within = file[: file.rfind("/") + 1]
    return Weights(
        name=name,
        title=name,
        licence="",
        licence_file="",
        files=note.files,
        sources=(Hub(repo, note.commit, within),),
    )


def _kept(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    except (OSError, msgspec.MsgspecError):
        return None


def _note(found: Listing, repo: str, file: str) -> _Note:
    """Choose among the files of a repository. Raises `WeightsUnavailable` when what is needed is not there."""
    there = {one.name: one for one in found.files if one.digest}
    if split := _SPLIT.fullmatch(file):
        count = int(split["count"])
        needed = [f"{split['stem']}-{part:05}-of-{count:05}.gguf" for part in range(1, count + 1)]
    elif file:
        needed = [file]
    else:
        vocabulary = next((name for name in VOCABULARIES if name in there), VOCABULARIES[0])
        needed = [*WHISPER_FILES, vocabulary]
    if missing := [name for name in needed if name not in there]:
        kind = "files" if file else "files of Whisper for CTranslate2"
        some = ", ".join(sorted(there)[:20]) or "nothing"
        raise WeightsUnavailable(
            f"{repo} has not all {kind} that are needed: expected {', '.join(missing)}, got {some}"
        )
    chosen = [there[name] for name in needed]
    return _Note(
        found.sha, tuple(WeightFile(one.name.rpartition("/")[2], one.size, one.digest) for one in chosen)
    )
