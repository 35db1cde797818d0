"""What synthesisers have in common: text as it is said, and the protocol's names of voices."""

import re
from collections.abc import Mapping

from vivavoce.engine.models.protocols import Voice
from vivavoce.protocol.session import VOICES

__all__ = ["audible_text", "foreign_voices", "unmarked"]

# What a language model writes for the eye.
_MARKUP = re.compile(r"[*_`#>|~^\\\[\]{}<]+|https?://\S+")


def unmarked(text: str) -> str:
    """Return a text without Markdown and addresses."""
    return _MARKUP.sub(" ", text)


def audible_text(text: str) -> str:
    """Return what of a text is to be said, in one line; empty when it holds neither letters nor digits."""
    line = " ".join(unmarked(text).split())
    return line if re.search(r"\w", line) else ""


def foreign_voices(voice: str | None, source: str) -> Mapping[str, Voice]:
    """Return the protocol's voices as another server's: all of them one ``voice`` of it, or each its namesake."""
    return {name: Voice(name, f"{voice or name} of {source}") for name in VOICES}
