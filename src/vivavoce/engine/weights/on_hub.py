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

__all__ = ["KOKORO", "WHISPER", "Layout", "ensure_from_hub"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which files of a repository make up a model."""

    title: str
    needed: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    """Of these one, the first that is there."""


WHISPER = Layout(
    "Whisper for CTranslate2",
    ("model.bin", "config.json", "tokenizer.json"),
    one_of=("vocabulary.json", "vocabulary.txt"),
)

KOKORO_VOICES = (
    *("af_alloy", "am_michael", "bm_george", "af_bella", "am_echo"),
    *("af_kore", "bf_emma", "bm_fable", "af_heart", "am_fenrir"),
)

KOKORO = Layout(
    "Kokoro for onnxruntime",
    ("onnx/model_quantized.onnx", *(f"voices/{name}.bin" for name in KOKORO_VOICES)),
)

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
    layout: Layout = WHISPER,
    revision: str = "main",
    progress: Callable[[Progress], None] | None = None,
    root: Path | None = None,
) -> Path:
    """Return the folder with a file of a repository, or, where none is named, with the files of a ``layout``.

    Raises `WeightsUnavailable` and `WeightsCorrupt`, as `ensure` does.
    """
    name = "/".join(filter(None, (repo, "" if revision == "main" else f"@{revision}", file)))
    folder = (root or default_root()) / _weights(name, repo, _Note("", ())).folder
    note = _kept(folder / NOTE)
    if note is None:
        if variable := offline():
            raise WeightsUnavailable(
                f"{name} is not in {folder}, and {variable} forbids to look for it: unset it, or name files "
                "of this machine"
            )
        note = _note(await listing(repo, revision), repo, file, layout)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / NOTE, json.dumps(asdict(note)))
        except OSError as error:
            raise WeightsUnavailable(
                f"{name} cannot be kept in {folder}: {error.strerror or error}"
            ) from error
    return await obtain(Shelf(_weights(name, repo, note), root), progress)


def _weights(name: str, repo: str, note: _Note) -> Weights:
    return Weights(
        name=name,
        title=name,
        licence="",
        licence_file="",
        files=note.files,
        sources=(Hub(repo, note.commit),),
    )


def _kept(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    except (OSError, msgspec.MsgspecError):
        return None


def _note(found: Listing, repo: str, file: str, layout: Layout) -> _Note:
    """Choose among the files of a repository. Raises `WeightsUnavailable` when what is needed is not there."""
    there = {one.name: one for one in found.files if one.digest}
    if split := _SPLIT.fullmatch(file):
        count = int(split["count"])
        needed = [f"{split['stem']}-{part:05}-of-{count:05}.gguf" for part in range(1, count + 1)]
    elif file:
        needed = [file]
    else:
        one = next(
            (name for name in layout.one_of if name in there), layout.one_of[0] if layout.one_of else ""
        )
        needed = [*layout.needed, *([one] if one else [])]
    if missing := [name for name in needed if name not in there]:
        kind = "files" if file else f"files of {layout.title}"
        some = ", ".join(sorted(there)[:20]) or "nothing"
        raise WeightsUnavailable(
            f"{repo} has not all {kind} that are needed: expected {', '.join(missing)}, got {some}"
        )
    chosen = [there[name] for name in needed]
    return _Note(found.sha, tuple(WeightFile(one.name, one.size, one.digest) for one in chosen))
