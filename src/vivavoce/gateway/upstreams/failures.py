"""What a client is told where an endpoint cannot be had: never what the endpoint said, which may show a key. Pure."""

from http import HTTPStatus

from vivavoce.errors import ConnectionFailed

__all__ = ["in_our_words"]


def in_our_words(failed: ConnectionFailed, *, call: bool = False) -> ConnectionFailed:
    """Return the error that a client may see of ``failed``; its status is the one to answer with.

    ``call`` says that an endpoint was asked for a call that goes on.
    """
    match failed.status:
        case None if failed.code == "timeout":
            return _error(
                HTTPStatus.GATEWAY_TIMEOUT, "upstream_timeout", "The upstream did not answer in time."
            )
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _error(
                HTTPStatus.TOO_MANY_REQUESTS,
                "upstream_rate_limited",
                "The upstream takes no more sessions of this gateway for now.",
                failed.retry_after,
            )
        case HTTPStatus.NOT_FOUND if call:
            return _error(HTTPStatus.NOT_FOUND, "call_not_found", "There is no such call.")
        case status if (
            status is None or status > HTTPStatus.BAD_GATEWAY or status == HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            return _error(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "upstream_unavailable",
                "The upstream cannot hold a session now.",
                failed.retry_after,
            )
        case _:
            return _error(
                HTTPStatus.BAD_GATEWAY,
                "upstream_refused",
                "The upstream refuses what this gateway asks of it; the gateway's log says why.",
            )


def _error(status: int, code: str, message: str, retry_after: int | None = None) -> ConnectionFailed:
    return ConnectionFailed(message, status=int(status), code=code, retry_after=retry_after)
