"""Refusing what needs an endpoint while there is none."""

from http import HTTPStatus

from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import Gateway

__all__ = ["no_upstream", "refuse_state", "refused_by_upstream"]


PASSING = frozenset({429, 503, 504})
"""Statuses after which it makes sense to come again."""


def refuse_state(gateway: Gateway) -> Refusal | None:
    """Return why the endpoint cannot be asked now, or None where it can."""
    match gateway.loading.state:
        case "ready":
            return None
        case "loading":
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"The models are still being loaded ({gateway.upstream.status.stage}). "
                "GET /health tells when they answer.",
                code="not_ready",
                type="server_error",
                retry_after=gateway.settings.retry_after_seconds,
            )
        case "failed":
            return no_upstream(f"The models could not be loaded: {gateway.loading.error}", gateway.settings)


def no_upstream(why: str, settings: GatewaySettings) -> Refusal:
    """Return the refusal of an endpoint that cannot be had."""
    return refused_by_upstream(ConnectionFailed(why), settings)


def refused_by_upstream(failed: ConnectionFailed, settings: GatewaySettings) -> Refusal:
    """Return the refusal of an endpoint that refuses by itself, in its words."""
    status = failed.status or HTTPStatus.SERVICE_UNAVAILABLE
    wrong_call = status == HTTPStatus.NOT_FOUND
    return Refusal(
        status,
        str(failed),
        code=failed.code or "upstream_unavailable",
        type="invalid_request_error" if wrong_call else "server_error",
        param="call_id" if wrong_call else None,
        retry_after=(failed.retry_after or settings.retry_after_seconds) if status in PASSING else None,
    )
