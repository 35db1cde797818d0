"""What tokens cost: one dated table, of what OpenAI's pages of its models say. Whoever else is asked is ``unknown``."""

import re
from dataclasses import dataclass

__all__ = ["AS_OF", "PRICES", "Price", "price", "undated"]

AS_OF = "2026-11"
"""When the table was read off the vendor's pages (developers.openai.com/api/docs/models/NAME)."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    text: float
    text_cached: float
    text_output: float
    audio: float
    audio_cached: float
    audio_output: float
    image: float
    image_cached: float


_LARGE = Price(4.00, 0.40, 24.00, 32.00, 0.40, 64.00, 5.00, 0.50)
_MINI = Price(0.60, 0.06, 2.40, 10.00, 0.30, 20.00, 0.80, 0.08)

PRICES = {
    "gpt-realtime-1.5": Price(4.00, 0.40, 16.00, 32.00, 0.40, 64.00, 5.00, 0.50),
    "gpt-realtime-2": _LARGE,
    "gpt-realtime-2.1": _LARGE,
    "gpt-realtime-2.1-mini": _MINI,
}
"""The prices that are known."""

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def price(model: str) -> Price | None:
    """Return what a model costs, its dated snapshots too; None where that is unknown."""
    return PRICES.get(undated(model))


def undated(model: str) -> str:
    """Return the name of a model without the date of its snapshot."""
    return _SNAPSHOT.sub("", model)
