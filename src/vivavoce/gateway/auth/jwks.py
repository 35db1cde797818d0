"""The public keys of who signs tokens, from an address or a file, asked for again as they change."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth.tokens import Rejected, public_keys
from vivavoce.gateway.loopback import is_loopback

__all__ = ["MOST_BYTES", "PAUSE_SECONDS", "PublicKeys"]

_log = logging.getLogger(__name__)

MOST_BYTES = 2**20
"""A JWKS that is longer is none."""

PAUSE_SECONDS = 10.0
"""Between two questions for keys: whoever makes up key ids does not make us ask each time."""

TIMEOUT = aiohttp.ClientTimeout(total=5)

Found = dict[str | None, RSAPublicKey]


class PublicKeys:
    """The keys at one place. When they cannot be had again, those that were had before stay in force."""

    def __init__(self, where: str, *, seconds: float, pause: float = PAUSE_SECONDS) -> None:
        """Raises `VivaVoceError` for an address that anybody on the way could answer for."""
        parts = urlsplit(where)
        self._is_address = parts.scheme in {"http", "https"}
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise VivaVoceError(
                f"VIVAVOCE_JWT_KEYS: expected an address that begins with https://, got {where!r}."
            )
        self._where = where
        self._seconds = seconds
        self._pause = pause
        self._found: Found = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, *, anew: bool = False) -> Found:
        """Return the keys by their id; ask for them where they are old, or ``anew`` says that one is missing.

        Raises `VivaVoceError` where none could ever be had.
        """
        async with self._lock:
            age = time.monotonic() - self._asked_at
            if age >= self._seconds or (age >= self._pause and (anew or not self._found)):
                self._asked_at = time.monotonic()
                try:
                    self._found = public_keys(await self._read())
                except (OSError, ValueError, TimeoutError, aiohttp.ClientError, Rejected) as error:
                    _log.warning(
                        "the keys of VIVAVOCE_JWT_KEYS cannot be had: %s", error or type(error).__name__
                    )
        if not self._found:
            raise VivaVoceError("The keys that tokens are checked with cannot be had now.")
        return self._found

    async def _read(self) -> Any:
        if not self._is_address:
            return json.loads(await asyncio.to_thread(Path(self._where).read_bytes))
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.get(self._where, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"expected status 200, got {response.status}")
            data = await response.content.read(MOST_BYTES + 1)
            while len(data) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES)):
                data += more
        if len(data) > MOST_BYTES:
            raise ValueError(f"expected at most {MOST_BYTES} bytes")
        return json.loads(data)
