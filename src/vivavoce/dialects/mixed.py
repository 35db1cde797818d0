"""Clients that say that they speak today's protocol, and do so in part.

Much code was moved to today's address, and its sessions given a ``type``, while their fields stayed flat as in the
beta. What such a client means is never in doubt, for today's protocol has no fields of these names in those places.
"""

from typing import Any, Final

from vivavoce.dialects.beta import Beta
from vivavoce.dialects.beta_session import RESPONSE_PLACES, SESSION_PLACES
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.session import SessionType

__all__ = ["FLAT", "SIGNS", "Mixed"]

FLAT: Final = {
    "session.update": ("session", frozenset({*SESSION_PLACES, "temperature"})),
    "response.create": ("response", frozenset({*RESPONSE_PLACES, "temperature"})),
}
"""Where the fields of the beta may stand, and which they are, by the types of the events that have them."""

SIGNS: Final = frozenset(
    {
        "modalities",
        "input_audio_format",
        "output_audio_format",
        "input_audio_transcription",
        "max_response_output_tokens",
    }
)
"""Fields that only who learnt the protocol from the beta writes: such a client listens for the beta's events, too."""


class Mixed:
    """One connection of a client that did not say that it speaks the beta.

    Until a flat field comes, everything passes as it is. Flat fields are put where they belong. From the first of
    `SIGNS` on, the client is spoken to in the beta.
    """

    def __init__(self, kind: SessionType = "realtime") -> None:
        self._beta = Beta(kind)
        self._answers_in_beta = False

    def hear(self, frame: Frame) -> Frame:
        """Return a client's event as it is said today; raises `ProtocolError` for what the beta refused."""
        if self._answers_in_beta:
            return self._beta.hear(frame)
        if frame.type not in FLAT:
            return frame
        where, flat = FLAT[frame.type]
        asked: Any = frame.fields().get(where)
        if not isinstance(asked, dict) or not (used := flat & asked.keys()):
            return frame
        self._answers_in_beta = not used.isdisjoint(SIGNS)
        return self._beta.hear(frame)

    def say(self, frame: Frame) -> Frame | None:
        """Return a server's event as this client would hear it, or None where that is nothing."""
        return self._beta.say(frame) if self._answers_in_beta else frame

    def same(self, kind: str) -> bool:
        """Tell whether events of this type pass as they are now."""
        return self._beta.same(kind) if self._answers_in_beta else kind not in FLAT
