"""``vivavoce serve --workers N``: a parent that serves nobody, and N processes that share its port."""

import asyncio
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from pydantic import SecretStr
from rich.console import Console

from vivavoce.cli.signals import Signals
from vivavoce.gateway import GatewaySettings
from vivavoce.gateway.auth.local import new_token
from vivavoce.gateway.operations.workers import Workers, reserve
from vivavoce.gateway.server import Listening, address_of

__all__ = ["NOT_SHARED", "serve_with_workers", "supervise"]

NOT_SHARED = (
    "Each process has limits, ephemeral keys and calls of its own: VIVAVOCE_REDIS_URL lets them share."
)

Serve = Callable[[GatewaySettings], int]
"""Serves in the process that it is called in, and returns its exit code."""


def serve_with_workers(
    settings: GatewaySettings, serve: Serve, console: Console, *, hopeless: frozenset[int]
) -> int:
    """Serve with as many processes as the settings say, until a signal ends it; return the exit code.

    Raises `OSError` where the address cannot be listened at.
    """
    with reserve(settings) as reserved, tempfile.TemporaryDirectory(prefix="vivavoce-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # before any process has the package that reads it
        changed: dict[str, object] = {"port": reserved.getsockname()[1]}
        if settings.token is None and not settings.asks_for_keys:
            changed["token"] = SecretStr(new_token())  # the same for all
        shared = settings.model_copy(update=changed)
        listening = Listening(address_of(shared, shared.port), shared.port)
        token = (
            None if shared.token is None or shared.local_access == "open" else shared.token.get_secret_value()
        )
        console.print(
            f"Viva Voce listens, with {settings.workers} processes. Open [bold]{listening.address(token)}[/bold] in a "
            "browser; Ctrl-C stops it."
        )
        if settings.redis_url is None:
            console.print(NOT_SHARED)
        return asyncio.run(supervise(shared, serve, hopeless=hopeless))


async def supervise(settings: GatewaySettings, serve: Serve, *, hopeless: frozenset[int]) -> int:
    """Keep the processes running until a signal comes, pass it on, and return when they are over."""
    spawn = multiprocessing.get_context(
        "spawn"
    )  # a process that was forked would share what may not be shared

    def make() -> BaseProcess:
        return spawn.Process(target=_work, args=(settings, serve), name="vivavoce worker")

    signals = Signals()
    workers = Workers(settings.workers, make, died=_forget, hopeless=hopeless)
    signals.on_hangup(lambda: workers.send(signal.SIGHUP))
    working = asyncio.create_task(workers.run())
    passing_on = asyncio.create_task(_pass_on(signals, workers))
    try:
        return await working
    finally:
        passing_on.cancel()


async def _pass_on(signals: Signals, workers: Workers) -> None:
    await signals.asked.wait()
    workers.stop(signal.SIGINT if signals.at_once.is_set() else signal.SIGTERM)
    await signals.at_once.wait()
    workers.stop(signal.SIGINT)


def _work(settings: GatewaySettings, serve: Serve) -> None:
    """Be one of the processes."""
    os.setpgrp()  # Ctrl-C is for the parent, which passes it on
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    raise SystemExit(serve(settings))


def _outlive_nobody() -> None:
    """Stop when the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _forget(pid: int) -> None:
    """Take the gauges of a process that is over out of the metrics."""
    try:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - an extra
    except ImportError:
        return
    mark_process_dead(pid)  # type: ignore[no-untyped-call]
