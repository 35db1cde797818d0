"""Sealing what is kept where others may read. Pure, but for the nonces."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["seal", "unseal"]

NONCE_BYTES = 12
"""Of AES-GCM; one key seals far fewer than the 2**32 messages for which random nonces are good (NIST SP 800-38D)."""


def seal(key: bytes, data: bytes, *, name: bytes) -> bytes:
    """Return ``data`` as only who has the ``key`` can read it, and only under this ``name``."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, name)


def unseal(key: bytes, sealed: bytes, *, name: bytes) -> bytes | None:
    """Return what was sealed; None where it was not with this key, or under another name."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name)
    except (InvalidTag, ValueError):
        return None
