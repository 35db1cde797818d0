"""The access log: who asked for which path, and what came of it. No query strings, no headers, no content."""

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

__all__ = ["AccessLogger"]


class AccessLogger(AbstractAccessLogger):
    """Writes one line for each request, with nothing in it that could be a credential."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a request that took ``time`` seconds; for a session, that is how long it lasted."""
        self.logger.info(
            "%s %s %s %d %.3fs", request.remote, request.method, request.path, response.status, time
        )
