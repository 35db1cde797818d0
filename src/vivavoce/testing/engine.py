"""The engine with a script in the place of its models: an endpoint that needs no network, no key and no weights."""

import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from vivavoce.client.transport import Transport
from vivavoce.engine.engine import Engine, EngineStatus
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.pace import Pace
from vivavoce.engine.profiles import Loaded, Report
from vivavoce.engine.runtime import Models
from vivavoce.engine.weights import Progress
from vivavoce.errors import ScriptError, ScriptFailed
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import DEFAULT_MODEL, SESSION_SECONDS, Session
from vivavoce.protocol.session_params import SessionParams
from vivavoce.testing.hearing import STEP_MS
from vivavoce.testing.latency import SlowTransport
from vivavoce.testing.models import ScriptedLanguageModel, ToneSynthesiser
from vivavoce.testing.play import Play
from vivavoce.testing.script import Latency, Script, parse_script
from vivavoce.testing.session import ScriptedSession

__all__ = ["ENDLESS_TOKENS", "SEEDED_EXPIRY", "ScriptedEngine", "read_script"]

SEEDED_EXPIRY = 4_102_444_800
"""When a session with a seed says that it expires: with the year 2099."""

REMEMBERED = 1000
"""Sessions whose course is remembered, for `ScriptedEngine.check`."""

ENDLESS_TOKENS = 10_000_000
"""What the language model can read: a script sees every word of the conversation."""


def read_script(path: Path | str) -> Script:
    """Read a script from a file, YAML or, where its name ends with ``.json``, JSON; raises `ScriptError`."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ScriptError(f"{path}: expected a script, and cannot read it: {why}.") from error
    return parse_script(text, path.name)


class ScriptedEngine:
    """The engine's own sessions, playing a script; each session plays it from the beginning.

    Use it as an asynchronous context manager: on its way out it raises `ScriptFailed`, unless something else failed,
    if anything came that was not expected or, where the script is to be played to its end (``complete``), if no
    session did that. ``latency`` takes the place of the script's. With ``budget_tokens`` its language model reads no
    more than that, so that sessions refuse the tools that one at home has no room for. Where `vivavoce.engine.Engine`
    is served, this can be served too.
    """

    def __init__(
        self,
        script: Script | Path | str,
        *,
        latency: Latency | None = None,
        complete: bool = True,
        lifetime: float = SESSION_SECONDS,
        budget_tokens: int = ENDLESS_TOKENS,
    ) -> None:
        self.script = script if isinstance(script, Script) else read_script(script)
        self._name = "script" if isinstance(script, Script) else Path(script).name
        self._latency = latency or self.script.latency
        self._complete = complete
        self._budget_tokens = budget_tokens
        self._plays = deque[Play](maxlen=REMEMBERED)
        self._connected = 0
        self._made: Play | None = None
        self._engine = Engine(load=self._load, machine=self._machine, pace=_Unhurried(), lifetime=lifetime)
        self._slow = WeakSet[SlowTransport]()

    @property
    def status(self) -> EngineStatus:
        """How far the engine is."""
        return self._engine.status

    @property
    def capacity(self) -> int | None:
        """Nothing limits how many sessions there may be."""
        return self._engine.capacity

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return self._engine.sessions

    @property
    def problems(self) -> list[str]:
        """What came in any session, but was not expected."""
        return [problem for play in self._plays for problem in play.problems]

    async def start(self, progress: Callable[[Progress], None] | None = None) -> Self:
        """Begin to take sessions; nothing is loaded."""
        await self._engine.start(progress)
        return self

    def describe(self, params: SessionParams) -> Session:
        """Return the session that `connect` would open; raises `ProtocolError` for what is not served."""
        return self._engine.describe(params)

    def connect(self, model: str = DEFAULT_MODEL, params: SessionParams | None = None) -> Transport:
        """Open a session, which begins as ``params`` ask."""
        session = self._engine.connect(model, params)
        self._connected += 1
        if self._made is not None:
            self._plays.append(self._made)
        if self._latency == Latency():
            return session
        slow = SlowTransport(session, self._latency)
        self._slow.add(slow)
        return slow

    async def close(self) -> None:
        """End all sessions."""
        await self._engine.close()
        for slow in list(self._slow):
            await slow.close(1001, "The engine shuts down.")

    def check(self) -> None:
        """Raise `ScriptFailed` if anything came that was not expected, or turns are left that should be played."""
        problems = self.problems
        left = min((play.unplayed for play in self._plays), default=len(self.script.turns))
        if self._complete and left:
            played = f"{len(self.script.turns) - left} of {self.script.length}"
            problems.append(f"Expected all of {self._name} to be played, and only {played} were.")
        if problems:
            raise ScriptFailed(" ".join(problems))

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if error is None:
            self.check()

    async def _load(self, _: Report) -> Loaded:
        unasked: Any = _Ears()
        loudness = 0.3 if self.script.speech == "tone" else 0.0
        models = Models(
            unasked, unasked, unasked, ScriptedLanguageModel(), ToneSynthesiser(loudness=loudness)
        )
        names = {"script": f"{self._name}, {self.script.length}"}
        return Loaded(models, names, self._budget_tokens, _nothing_to_free)

    def _machine(self, *, expires_at: int, **machine: Any) -> ScriptedSession:
        seed, ids = self.script.seed, Ids()
        if seed is not None:
            ids, expires_at = Ids(random.Random(f"{seed} {self._connected}")), SEEDED_EXPIRY  # noqa: S311 - no secret
        session = ScriptedSession(self.script, ids=ids, expires_at=expires_at, **machine)
        self._made = session.play
        return session


class _Unhurried(Pace):
    """Never behind: a script may be as slow as it likes."""

    def observe(self, late: float, now: float) -> None:
        """Take no note of it."""


class _Ears:
    """What stands where models would hear: a scripted session hears by itself, and only wants to know the step."""

    step = MODEL_RATE * STEP_MS // 1000


async def _nothing_to_free() -> None:
    pass
