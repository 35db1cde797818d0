"""What is kept of tokens and keys, in place of them. Pure.

They are of at least 128 bits of the system's randomness, so a plain hash is enough: nobody can try them all.
"""

import hashlib

__all__ = ["digest", "sealing_key"]

_SEALING = b"vivavoce seals with "


def digest(secret: str) -> bytes:
    """Return the SHA-256 by which a secret is found."""
    return hashlib.sha256(_bytes(secret)).digest()


def sealing_key(secret: str) -> bytes:
    """Return 32 bytes that only who has the secret can make, and of which its `digest` tells nothing."""
    return hashlib.sha256(_SEALING + _bytes(secret)).digest()


def _bytes(secret: str) -> bytes:
    return secret.encode(errors="surrogatepass")
