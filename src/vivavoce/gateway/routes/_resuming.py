"""Letting a client come back to its session, with the token that it was told at its beginning."""

from dataclasses import dataclass

from aiohttp import web

from vivavoce.errors import LinkError
from vivavoce.gateway.bridge import Bridge, Resumption
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.resume.stage import TellToken
from vivavoce.gateway.resume.tokens import Ticket
from vivavoce.gateway.routes._moving import Coming, find, not_found, not_theirs, unavailable
from vivavoce.gateway.state import Gateway
from vivavoce.gateway.upstream import Transport
from vivavoce.gateway.upstreams.enduring import EnduringTransport

__all__ = ["TOKEN", "Offer", "come_back", "moving", "offer"]

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


def offer(gateway: Gateway, opening: Opening, transport: Transport) -> Offer | None:
    """Return what a session needs that is about to begin; None where nobody may come back to it."""
    settings, tokens = gateway.settings, gateway.resumable
    if not settings.resume_seconds or opening.call_id is not None or opening.dialect == "voice":
        return None
    ticket: Ticket[Bridge] = Ticket(opening.caller)
    token = tokens.issue(ticket)
    keeping = None
    if gateway.processes is not None and isinstance(transport, EnduringTransport):
        keeping = gateway.processes.keeper(settings, opening, transport, ticket)
    resumption = Resumption(
        settings.resume_seconds,
        settings.resume_buffer_bytes,
        lambda: tokens.forget(ticket),
        keeping,
    )
    return Offer(ticket, token, TellToken(token, settings.resume_seconds), resumption)


async def come_back(
    request: web.Request, gateway: Gateway, caller: Caller, *, protocols: tuple[str, ...]
) -> web.StreamResponse:
    """Go on with the session of the token in the address, or say why not."""
    ticket = gateway.resumable.find(request.query["resume"])
    if ticket is None or (bridge := ticket.session) is None:
        return not_found().response()
    if (ticket.caller.user, ticket.caller.key) != (caller.user, caller.key):
        return not_theirs().response()
    leg = bridge.new_leg(protocols)
    if not leg.socket.can_prepare(request):
        raise web.HTTPBadRequest
    token = gateway.resumable.issue(ticket)
    leg.socket.headers[TOKEN] = token
    await bridge.resume(request, leg, token=token, after=request.query.get("after"))
    return leg.socket


async def moving(request: web.Request, gateway: Gateway, caller: Caller) -> Coming | Refusal | None:
    """Return what another process left of the session of the token in the address; None where it may be here."""
    token = request.query["resume"]
    if gateway.processes is None or gateway.resumable.find(token) is not None:
        return None
    try:
        return await find(
            gateway.processes, gateway.settings, caller, token=token, after=request.query.get("after")
        )
    except LinkError as down:
        return unavailable(down, gateway.settings)
