"""Connections that control a call: they stand beside its session, and take no place of their own."""

from http import HTTPStatus

from vivavoce.gateway.calls import Held
from vivavoce.gateway.guarded import Sideband
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.state import Gateway

__all__ = ["MOST_SIDEBANDS", "controlled", "elsewhere", "no_such_call", "sideband"]

MOST_SIDEBANDS = 8
"""Connections that may control one call at one time."""


async def controlled(gateway: Gateway, opening: Opening) -> Held | Refusal | None:
    """Return the call that a client wants to control, or why it may not; None where that is for the endpoint to say.

    What is somebody else's, here or at another process, the endpoint is not asked for: it knows the gateway alone.
    """
    if opening.call_id is None:
        return None
    held = gateway.calls.find(opening.call_id, opening.caller)
    if held is not None:
        return held
    if opening.call_id in gateway.calls:
        return no_such_call()
    if gateway.processes is None:
        return None
    found = await gateway.processes.find_call(opening.call_id, opening.caller)
    if found is None:
        return None
    return elsewhere(found.process) if found.theirs else no_such_call()


def sideband(held: Held) -> Sideband | Refusal:
    """Stand beside a call, unless too many do."""
    if held.session.listeners >= MOST_SIDEBANDS:
        return Refusal(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{MOST_SIDEBANDS} connections control this call already.",
            code="sideband_limit_reached",
            param="call_id",
        )
    return Sideband(held.session, held.call.silence)


def elsewhere(process: str) -> Refusal:
    """Return what is said of a call that another process has."""
    return Refusal(
        HTTPStatus.MISDIRECTED_REQUEST,
        f"This call is at another process of this server, {process}: connections that control it have to reach that "
        "one.",
        code="call_elsewhere",
        param="call_id",
    )


def no_such_call() -> Refusal:
    """Return what is said of a call that there is not, or not for whoever asks."""
    return Refusal(HTTPStatus.NOT_FOUND, "There is no such call.", code="call_not_found")
