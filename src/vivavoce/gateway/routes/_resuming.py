"""Letting a client come back to its session, with the token that it was told at its beginning."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from vivavoce.gateway.bridge import Bridge, Resumption
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.resume.stage import TellToken
from vivavoce.gateway.resume.tokens import Ticket
from vivavoce.gateway.state import Gateway

__all__ = ["TOKEN", "Offer", "come_back", "offer"]

TOKEN = "Vivavoce-Resume-Token"  # noqa: S105 - the name of a header
"""The header of an upgrade with the token; browsers cannot read it, and find it in ``session.created``."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a session needs so that its client may come back."""

    ticket: Ticket[Bridge]
    token: str
    stage: TellToken
    resumption: Resumption

    def to(self, bridge: Bridge) -> None:
        """Say whose session it is, and tell its client the token."""
        self.ticket.session = bridge
        bridge.socket.headers[TOKEN] = self.token


def offer(gateway: Gateway, opening: Opening) -> Offer | None:
    """Return what a session needs that is about to open; None where nobody may come back to it."""
    settings, tokens = gateway.settings, gateway.resumable
    if not settings.resume_seconds or opening.call_id is not None or opening.dialect == "voice":
        return None
    ticket: Ticket[Bridge] = Ticket(opening.caller)
    token = tokens.issue(ticket)
    resumption = Resumption(
        settings.resume_seconds, settings.resume_buffer_bytes, lambda: tokens.forget(ticket)
    )
    return Offer(ticket, token, TellToken(token, settings.resume_seconds), resumption)


async def come_back(
    request: web.Request, gateway: Gateway, caller: Caller, *, protocols: tuple[str, ...]
) -> web.StreamResponse:
    """Go on with the session of the token in the address, or say why not."""
    ticket = gateway.resumable.find(request.query["resume"])
    if ticket is None or (bridge := ticket.session) is None:
        return Refusal(
            HTTPStatus.NOT_FOUND,
            "There is no session to come back to with this token: it was used, or the session is over.",
            code="resume_token_not_found",
            param="resume",
        ).response()
    if (ticket.caller.user, ticket.caller.key) != (caller.user, caller.key):
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "The session of this token is somebody else's.",
            code="resume_not_allowed",
            param="resume",
        ).response()
    leg = bridge.new_leg(protocols)
    if not leg.socket.can_prepare(request):
        raise web.HTTPBadRequest
    token = gateway.resumable.issue(ticket)
    leg.socket.headers[TOKEN] = token
    await bridge.resume(request, leg, token=token, after=request.query.get("after"))
    return leg.socket
