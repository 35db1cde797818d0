"""Which model does a part's work, as people write it. Pure.

==============================================  ==========================================  ====================
written                                         what it is                                  for
==============================================  ==========================================  ====================
``whisper-base``                                one of our own, by its name                 all parts
``http://host:11434/v1#qwen3:4b``               a model behind OpenAI's HTTP API            all parts
``http://host:8880/v1?voice=af_heart#kokoro``   the same, with the voice that speaks        synthesiser
``wyoming://host:10300``                        a Wyoming server                            recogniser, synthesiser
``wyoming://host:10200?voice=en_GB-alan-low``   the same, with the voice that speaks        synthesiser
``hub:org/repo/file.gguf``                      a file on the model hub                     language model
``hub:org/repo``                                Whisper for CTranslate2, or Kokoro          recogniser, synthesiser
``./file.gguf``, ``~/folder``                   the same on this disk                       all of these
==============================================  ==========================================  ====================

``hub:org/repo@revision`` names another revision than ``main``. A key is never part of it: it has a setting of its own.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from vivavoce.errors import VivaVoceError

__all__ = ["KNOWN", "Choice", "Http", "HubFiles", "Known", "Local", "Part", "Wyoming", "parse"]

Part = Literal["language_model", "recogniser", "synthesiser"]

KNOWN: dict[Part, tuple[str, ...]] = {
    "language_model": ("qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b", "smollm2-135m"),
    "recogniser": ("whisper-base", "moonshine-tiny-en"),
    "synthesiser": ("hibari",),
}
"""Our own models: all but hibari, which comes with its package, are names of weights."""

SHORT: dict[Part, dict[str, str]] = {
    "language_model": {},
    "recogniser": {
        "whisper-small": "Systran/faster-whisper-small",
        "whisper-medium": "Systran/faster-whisper-medium",
        "whisper-large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    },
    "synthesiser": {"kokoro": "onnx-community/Kokoro-82M-v1.0-ONNX"},
}
"""Names for what is on the model hub; those of Whisper are the repositories that faster-whisper takes."""

FORMS: dict[Part, str] = {
    "language_model": "http://host:port/v1#model, hub:org/repo/file.gguf or a path such as ./file.gguf",
    "recogniser": "http://host:port/v1#model, wyoming://host:port, hub:org/repo or a path such as ./folder",
    "synthesiser": "http://host:port/v1?voice=name#model, wyoming://host:port?voice=name, hub:org/repo or a path "
    "such as ./folder",
}

_HUB = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?(/(?P<file>.+))?")
_PATH = re.compile(r"[/~]|\.\.?[/\\]|[A-Za-z]:[/\\]")


@dataclass(frozen=True, slots=True)
class Known:
    """One of our own models."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Http:
    """A model behind OpenAI's HTTP API."""

    url: str
    """What stands before ``/chat/completions``."""
    model: str
    voice: str | None = None
    key: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.model} at {urlsplit(self.url).netloc}"


@dataclass(frozen=True, slots=True)
class Wyoming:
    """A Wyoming server."""

    host: str
    port: int
    voice: str | None = None

    def __str__(self) -> str:
        return f"wyoming at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HubFiles:
    """A file on the model hub, or, without one, the repository's model."""

    repo: str
    file: str = ""
    revision: str = "main"

    def __str__(self) -> str:
        return f"{self.repo}/{self.file}" if self.file else self.repo


@dataclass(frozen=True, slots=True)
class Local:
    """A file or a folder of this machine."""

    path: Path

    def __str__(self) -> str:
        return self.path.name


Choice = Known | Http | Wyoming | HubFiles | Local


def parse(part: Part, text: str, key: str = "") -> Choice:
    """Return the model that ``text`` names for a part; ``key`` is for a server.

    Raises `VivaVoceError`, saying what was expected, and nothing of what may be a secret.
    """
    text = text.strip()
    if text in KNOWN[part]:
        return Known(text)
    if text in SHORT[part]:
        return HubFiles(SHORT[part][text])
    if text.startswith("hub:"):
        return _hub(part, text)
    if _PATH.match(text):
        return _local(part, text)
    scheme = text.partition("://")[0].lower()
    if "://" in text and scheme in {"http", "https"}:
        return _http(part, text, key)
    if "://" in text and scheme == "wyoming":
        return _wyoming(part, text)
    raise _unexpected(part, text)


def _http(part: Part, text: str, key: str) -> Http:
    url, voice = _address(part, text)
    if not url.fragment:
        raise VivaVoceError(
            f"expected the model's name behind a #, as in {url.scheme}://{url.netloc}{url.path or '/v1'}#model"
        )
    return Http(f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}", url.fragment, voice, key)


def _wyoming(part: Part, text: str) -> Wyoming:
    if part == "language_model":
        raise _unexpected(part, text)
    url, voice = _address(part, text)
    if url.port is None or url.path.strip("/") or url.fragment or url.hostname is None:
        raise VivaVoceError(f"expected wyoming://host:port, got {text!r}")
    return Wyoming(url.hostname, url.port, voice)


def _address(part: Part, text: str) -> tuple[SplitResult, str | None]:
    """Return an address, taken apart, and the voice that it names."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise VivaVoceError(f"expected an address with a host and a port: {error}") from error
    if "@" in url.netloc:
        raise VivaVoceError("expected no user or password in the address: a key has a setting of its own")
    if not url.hostname:
        raise VivaVoceError(f"expected an address with a host, got {text!r}")
    asked = dict(parse_qsl(url.query, keep_blank_values=True))
    voice = asked.pop("voice", None)
    if asked or (voice is not None and (part != "synthesiser" or not voice)):
        raise VivaVoceError(
            "expected nothing behind the ? of the address"
            + (" but voice=name" if part == "synthesiser" else "")
            + f", got {', '.join(asked) or 'voice'}"
        )
    return url, voice


def _hub(part: Part, text: str) -> HubFiles:
    found = _HUB.fullmatch(text.removeprefix("hub:"))
    file = (found["file"] or "") if found else ""
    fits = {
        "language_model": file.endswith(".gguf") and ".." not in file.split("/"),
        "recogniser": not file,
        "synthesiser": not file,
    }
    if found is None or not fits[part]:
        raise _unexpected(part, text)
    return HubFiles(found["repo"], file, found["revision"] or "main")


def _local(part: Part, text: str) -> Local:
    if part == "language_model" and not text.endswith(".gguf"):
        raise _unexpected(part, text)
    try:
        return Local(Path(text).expanduser())
    except RuntimeError as error:  # whose home that is, nobody knows
        raise _unexpected(part, text) from error


def _unexpected(part: Part, text: str) -> VivaVoceError:
    names = ", ".join([*KNOWN[part], *SHORT[part]])
    shown = text if "@" not in text or text.startswith("hub:") else "something else"
    return VivaVoceError(f"expected {names}, {FORMS[part]}; got {shown!r}")
