"""The engine: models loaded once, and an endpoint for everyone who connects."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from vivavoce.engine.capacity import capacity
from vivavoce.engine.measuring import usable_cores
from vivavoce.engine.models.protocols import MODEL_RATE, Choosy, Function
from vivavoce.engine.pace import Pace
from vivavoce.engine.profiles import PROFILES, Loaded, Report
from vivavoce.engine.runtime import EngineSession
from vivavoce.engine.session.machine import Session
from vivavoce.engine.weights import Progress
from vivavoce.errors import ConnectionFailed, VivaVoceError
from vivavoce.protocol.session import (
    DEFAULT_MODEL,
    SESSION_SECONDS,
    RealtimeSession,
    TranscriptionSession,
)
from vivavoce.protocol.session_params import SessionParams

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

    ``profile`` names the models to load (`profiles.PROFILES`); ``load`` brings other models instead. It holds
    ``capacity`` sessions, by default as many as the models, which are measured when they are loaded, can serve in
    real time. ``machine`` makes the state machine of a session, of what a `Session` takes; ``pace`` judges whether
    the models keep up.

    Use it as an asynchronous context manager, or call `start` and `close`. `connect` opens a session, which has
    the methods of a transport: ``send``, ``receive``, ``close``.
    """

    def __init__(
        self,
        profile: str = "default",
        *,
        capacity: int | None = None,
        lifetime: float = SESSION_SECONDS,
        load: Callable[[Report], Awaitable[Loaded]] | None = None,
        machine: Callable[..., Session] = Session,
        pace: Pace | None = None,
    ) -> None:
        if load is None and profile not in PROFILES:
            raise VivaVoceError(f"There is no engine profile '{profile}'; there are {', '.join(PROFILES)}.")
        self.profile = profile
        self._load = load or PROFILES[profile].load
        self._new_machine = machine
        self._lifetime = lifetime
        self._set_capacity = capacity
        self._pace = pace or Pace()
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

    @property
    def capacity(self) -> int | None:
        """How many sessions there may be at once; None before that is known, and where nothing limits it."""
        if self._set_capacity is not None or self._loaded is None or self._loaded.costs is None:
            return self._set_capacity
        return capacity(self._loaded.costs, usable_cores())

    def describe(self, params: SessionParams) -> RealtimeSession | TranscriptionSession:
        """Return the session that `connect` would open with ``params``, without opening one.

        Raises `ProtocolError` for what is not served, and `ConnectionFailed` while the engine is not ready.
        """
        return self._machine(self._ready(), DEFAULT_MODEL, params, expires_at=0).session

    def connect(self, model: str = DEFAULT_MODEL, params: SessionParams | None = None) -> EngineSession:
        """Open a session, which begins as ``params`` ask; ``model`` is the name that it reports if they give none.

        Raises `ConnectionFailed` while the engine is not ready, and with the code ``session_limit_reached`` where
        one more would break real time for those that are there; `ProtocolError` as `describe` does.
        """
        loaded = self._ready()
        self._admit()
        session = EngineSession(
            self._machine(loaded, model, params, expires_at=int(time.time() + self._lifetime)),
            loaded.models,
            lifetime=self._lifetime,
            on_end=self._sessions.discard,
            on_late=lambda late: self._pace.observe(late, time.monotonic()),
        )
        self._sessions.add(session)
        session.start()
        return session

    def _ready(self) -> Loaded:
        if self._loaded is None:
            raise ConnectionFailed(f"The engine is not ready ({self.status.state}).", status=503)
        return self._loaded

    def _machine(
        self, loaded: Loaded, model: str, params: SessionParams | None, *, expires_at: int
    ) -> Session:
        models = loaded.models
        return self._new_machine(
            model=model,
            voices=tuple(models.synthesiser.voices),
            step_ms=models.voice_activity.step * 1000 // MODEL_RATE,
            budget_tokens=loaded.budget_tokens,
            expires_at=expires_at,
            initial=params,
            check_function=choosy.check if isinstance(choosy := models.language_model, Choosy) else _anything,
        )

    def _admit(self) -> None:
        """Raise `ConnectionFailed` where there is no place for one more."""
        limit = self.capacity
        if limit is not None and len(self._sessions) >= limit:
            why = f"This machine holds {limit} sessions in real time, and all of them are taken."
        elif self._pace.behind(time.monotonic()):
            why = f"The models have fallen behind real time, with {len(self._sessions)} sessions."
        else:
            return
        raise ConnectionFailed(why, status=503, code="session_limit_reached")

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


def _anything(function: Function) -> None:
    """Let a language model that is not choosy call any function."""
