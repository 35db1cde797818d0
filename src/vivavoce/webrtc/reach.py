"""How a peer is to be reached anew, as it says in the offer or answer of an ICE restart (RFC 8839, 4.4.1). Pure."""

import re
from dataclasses import dataclass

from aiortc.sdp import MediaDescription, SessionDescription, candidate_to_sdp

__all__ = ["Reach", "reach"]

_FRAGMENT = re.compile(r"[a-zA-Z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[a-zA-Z0-9+/]{22,256}")
"""RFC 8839, 5.4."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a description says of ICE."""

    username: str
    password: str
    candidates: tuple[str, ...]
    """As in ``a=candidate:``."""


def reach(sdp: str, before: str) -> Reach:
    """Return what a peer's new description says; ``before`` is the last that it gave.

    Raises `ValueError` where it is not the same peer and the same media, or says nothing new, and whatever aiortc
    raises for what is no SDP.
    """
    new, old = SessionDescription.parse(sdp), SessionDescription.parse(before)
    for what, of in (("media sections", _shape), ("DTLS fingerprints", _fingerprints)):
        if of(new) != of(old):
            raise ValueError(f"expected the {what} of before, {of(old)}, got {of(new)}")
    named = {_named(one) for one in new.media if one.port}
    if len(named) != 1:
        raise ValueError(f"expected one ice-ufrag and one ice-pwd for all media sections, got {len(named)}")
    username, password = named.pop()
    if not _FRAGMENT.fullmatch(username) or not _PASSWORD.fullmatch(password):
        raise ValueError("expected an ice-ufrag and an ice-pwd as RFC 8839 has them")
    if any(username == _named(one)[0] for one in old.media):
        raise ValueError("expected another ice-ufrag than before")
    found = dict.fromkeys(
        candidate_to_sdp(candidate) for one in new.media for candidate in one.ice_candidates
    )
    return Reach(username, password, tuple(found))


def _named(media: MediaDescription) -> tuple[str, str]:
    ice = media.ice
    return ("", "") if ice is None else (ice.usernameFragment or "", ice.password or "")


def _shape(description: SessionDescription) -> str:
    return ", ".join(f"{one.kind} {one.rtp.muxId} {one.direction or ''}".strip() for one in description.media)


def _fingerprints(description: SessionDescription) -> str:
    each = (one for media in description.media if media.dtls for one in media.dtls.fingerprints)
    return ", ".join(sorted({f"{one.algorithm.lower()} {one.value.upper()}" for one in each}))
