"""API keys, and the file that keeps them. Pure but for `read` and `write`.

A key is ``vv_`` and 256 bits of the system's randomness; the file has its SHA-256 only. For so much randomness one
round of SHA-256 is enough: a slow hash makes up for what passwords lack. A key is found by its digest, so how long the
search takes tells of the digest of what was presented; and the digests are compared in constant time.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.opening import Caller

__all__ = ["API_KEY_PREFIX", "Key", "KeyFileError", "Keys", "digest", "make", "read", "write"]

API_KEY_PREFIX = "vv_"
"""What API keys begin with, so that a leaked one is known for what it is."""

RANDOM_BYTES = 32

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""What keys, users and groups may be called; no slash, which parts a user from whom it brings along."""


class KeyFileError(VivaVoceError):
    """The file with the keys cannot be read."""


class Key(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is kept of a key."""

    name: str
    digest: str
    """SHA-256 of the key, in hexadecimal."""
    user: str
    group: str = ""
    admin: bool = False
    created_at: int
    """Seconds since 1970."""
    expires_at: int | None = None
    """Seconds since 1970; None for a key that holds until it is removed."""

    @property
    def caller(self) -> Caller:
        """Whoever shows this key."""
        return Caller(self.user, key=self.name, group=self.group, admin=self.admin)


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    version: int = 1
    keys: list[Key] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys that there are."""

    by_digest: dict[str, Key]

    @classmethod
    def of(cls, keys: Iterable[Key]) -> "Keys":
        """Put keys where they are found."""
        return cls({key.digest: key for key in keys})

    def find(self, value: str, now: float) -> Key | None:
        """Return the key that has this value and has not expired at ``now``, in seconds since 1970."""
        presented = digest(value)
        key = self.by_digest.get(presented)
        if key is None or not hmac.compare_digest(key.digest, presented):
            return None
        return key if key.expires_at is None or now < key.expires_at else None


def digest(value: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def make(
    name: str, *, user: str = "", group: str = "", admin: bool = False, now: float, days: float | None = None
) -> tuple[str, Key]:
    """Make a key; return its value, which nobody can tell again, and what is to be kept.

    Raises `VivaVoceError` for a name that keys, users or groups cannot have.
    """
    for what, given in (("name", name), ("user", user or name), ("group", group or name)):
        if NAME.fullmatch(given) is None:
            raise VivaVoceError(
                f"Expected a {what} of at most 64 letters, digits and any of . _ @ - behind the first, got {given!r}."
            )
    value = API_KEY_PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    expires_at = None if days is None else int(now + days * 86_400)
    return value, Key(
        name=name,
        digest=digest(value),
        user=user or name,
        group=group,
        admin=admin,
        created_at=int(now),
        expires_at=expires_at,
    )


def read(path: Path) -> list[Key]:
    """Read the keys of a file; a file that is not there has none. Raises `KeyFileError` for one that is wrong."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        file = msgspec.json.decode(data, type=_File)
    except msgspec.DecodeError as error:
        raise KeyFileError(
            f"{path}: expected a file with keys, as `vivavoce keys` writes it: {error}"
        ) from error
    if file.version != 1:
        raise KeyFileError(f"{path}: expected version 1, got {file.version}")
    return file.keys


def write(path: Path, keys: Iterable[Key]) -> None:
    """Write the file anew, in one step, for nobody but its owner to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(_File(keys=list(keys))), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
