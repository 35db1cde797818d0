"""The tokens by which clients come back to their sessions. Pure.

A token is 192 bits of the system's randomness. Only its SHA-256 is kept, and it is found by that, so how long the
search takes tells nothing of any token. It works once, for the one it was made for, and there is one for each session.
"""

import secrets
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vivavoce.gateway.digests import digest, sealing_key
from vivavoce.gateway.opening import Caller

__all__ = ["Ticket", "Tokens"]

RANDOM_BYTES = 24
S = TypeVar("S")


@dataclass(slots=True)
class Ticket(Generic[S]):
    """What a token stands for."""

    caller: Caller
    session: S | None = None
    """None until there is one."""
    digest: bytes = b""
    key: bytes = field(default=b"", repr=False)
    """What is written down of the session is sealed with it: only who has the token can make it."""


class Tokens(Generic[S]):
    """All tokens that are good."""

    def __init__(self) -> None:
        self._tickets: dict[bytes, Ticket[S]] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def issue(self, ticket: Ticket[S]) -> str:
        """Make the token of a ticket, in the place of the one that it had."""
        self.forget(ticket)
        token = secrets.token_urlsafe(RANDOM_BYTES)
        ticket.digest, ticket.key = digest(token), sealing_key(token)
        self._tickets[ticket.digest] = ticket
        return token

    def find(self, token: str) -> Ticket[S] | None:
        """Return what a token stands for; None where it is unknown, used or over."""
        return self._tickets.get(digest(token))

    def find_digest(self, found: bytes) -> Ticket[S] | None:
        """Return what the token of this digest stands for."""
        return self._tickets.get(found)

    def forget(self, ticket: Ticket[S]) -> None:
        """Let the token of a ticket be good for nothing any more."""
        self._tickets.pop(ticket.digest, None)
