"""The engine: models loaded once, and an endpoint for everyone who connects."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.profiles import PROFILES, Loaded, Report
from vivavoce.engine.runtime import EngineSession
from vivavoce.engine.session.machine import Session
from vivavoce.engine.weights import Progress
from vivavoce.errors import ConnectionFailed, VivaVoceError
from vivavoce.protocol.session import SESSION_SECONDS

__all__ = ["Engine", "EngineStatus"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How far the engine is."""

    state: Literal["stopped", "loading", "ready", "failed"]
    stage: str = ""
    """What is being loaded; why loading failed."""
    models: dict[str, str] = field(default_factory=dict)
    """The models by their part, once they answer."""
    seconds: float = 0.0
    """How long loading took."""


class Engine:
    """A Realtime endpoint of our own, in this process.

    ``profile`` names the models to load (`profiles.PROFILES`); ``load`` brings other models instead.

    Use it as an asynchronous context manager, or call `start` and `close`. `connect` opens a session, which has
    the methods of a transport: ``send``, ``receive``, ``close``.
    """

    def __init__(
        self,
        profile: str = "default",
        *,
        lifetime: float = SESSION_SECONDS,
        load: Callable[[Report], Awaitable[Loaded]] | None = None,
    ) -> None:
        if load is None and profile not in PROFILES:
            raise VivaVoceError(f"There is no engine profile '{profile}'; there are {', '.join(PROFILES)}.")
        self.profile = profile
        self._load = load or PROFILES[profile].load
        self._lifetime = lifetime
        self._loaded: Loaded | None = None
        self._sessions: set[EngineSession] = set()
        self.status = EngineStatus("stopped")

    async def start(self, progress: Callable[[Progress], None] | None = None) -> Self:
        """Fetch the weights that are missing, load the models, and let each of them answer once.

        Raises `WeightsError` or `ModelError`; ``status`` tells the same. A second start does nothing more.
        """
        if self._loaded is not None:
            return self
        began = time.monotonic()

        def stage(name: str) -> None:
            self.status = EngineStatus("loading", name)

        try:
            self._loaded = await self._load(Report(stage, progress or (lambda _: None)))
        except asyncio.CancelledError:
            self.status = EngineStatus("stopped")
            raise
        except Exception as error:
            self.status = EngineStatus("failed", str(error) or type(error).__name__)
            raise
        seconds = time.monotonic() - began
        self.status = EngineStatus("ready", models=self._loaded.names, seconds=seconds)
        _log.info("the engine is ready after %.1f s: %s", seconds, self._loaded.names)
        return self

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    def connect(self, model: str = "gpt-realtime") -> EngineSession:
        """Open a session; ``model`` is the name that the session will report.

        Raises `ConnectionFailed` while the engine is not ready.
        """
        if self._loaded is None:
            raise ConnectionFailed(f"The engine is not ready ({self.status.state}).", status=503)
        models = self._loaded.models
        machine = Session(
            model=model,
            voices=tuple(models.synthesiser.voices),
            step_ms=models.voice_activity.step * 1000 // MODEL_RATE,
            budget_tokens=self._loaded.budget_tokens,
            expires_at=int(time.time() + self._lifetime),
        )
        session = EngineSession(machine, models, lifetime=self._lifetime, on_end=self._sessions.discard)
        self._sessions.add(session)
        session.start()
        return session

    async def close(self) -> None:
        """End all sessions and free the models. Closing twice does nothing more."""
        await asyncio.gather(
            *(session.close(1001, "The engine shuts down.") for session in list(self._sessions))
        )
        if self._loaded is not None:
            loaded, self._loaded = self._loaded, None
            self.status = EngineStatus("stopped")
            await loaded.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
