"""What the HTTP side logs: who asked for which path, and what came of it; no query, no header, no content."""

import logging

from aiohttp import http_exceptions, web
from aiohttp.abc import AbstractAccessLogger

from vivavoce.gateway.operations.logs import names_of

__all__ = ["SERVER_LOG", "AccessLogger"]


class AccessLogger(AbstractAccessLogger):
    """Writes one line for each request, with nothing in it that could be a credential."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a request that took ``time`` seconds; for a session, that is how long it lasted."""
        path = request.rel_url.raw_path  # as it came: what is decoded may begin a line of its own
        facts = {
            **names_of(request),
            "remote": request.remote,
            "method": request.method,
            "path": path,
            "status": response.status,
            "seconds": round(time, 3),
        }
        self.logger.info(
            "%s %s %s %d %.3fs",
            request.remote,
            request.method,
            path,
            response.status,
            time,
            extra={"facts": facts},
        )


class _WithoutTheRequest(logging.Filter):
    """Takes the exception off the record of a broken request: it quotes the line that is broken, key and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, http_exceptions.HttpProcessingError):
            record.exc_info = None

        return True


SERVER_LOG = logging.getLogger(__name__)
"""Where aiohttp logs what goes wrong with a request."""

SERVER_LOG.addFilter(_WithoutTheRequest())


class _WithoutTheOffer(logging.Filter):
    """Drops what aiohttp says of subprotocols that it does not know: it repeats all that were offered, key and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Client protocols" not in str(record.msg)


logging.getLogger("aiohttp.websocket").addFilter(_WithoutTheOffer())
