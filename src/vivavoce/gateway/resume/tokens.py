"""The tokens by which clients come back to their sessions. Pure.

A token is 192 bits of the system's randomness. Only its SHA-256 is kept, and it is found by that, so how long the
search takes tells nothing of any token. It works once, for the one it was made for, and there is one for each session.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Generic, TypeVar

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
        ticket.digest = _digest(token)
        self._tickets[ticket.digest] = ticket
        return token

    def find(self, token: str) -> Ticket[S] | None:
        """Return what a token stands for; None where it is unknown, used or over."""
        return self._tickets.get(_digest(token))

    def forget(self, ticket: Ticket[S]) -> None:
        """Let the token of a ticket be good for nothing any more."""
        self._tickets.pop(ticket.digest, None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
