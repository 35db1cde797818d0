"""Why a server cannot be reached, in words that are the same on every event loop."""

import os

__all__ = ["why_unreachable"]


def why_unreachable(error: OSError) -> str:
    """Return what the system calls it; the loops add the address, which is told anyway, each in its own way."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
