"""The history of one gateway: its parts, and what has to be done now and then."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.database import Database
from vivavoce.gateway.history.reader import Reader
from vivavoce.gateway.history.recorder import Recorder
from vivavoce.gateway.history.settings import HistorySettings
from vivavoce.gateway.history.stage import HistoryStage
from vivavoce.gateway.history.store import Store
from vivavoce.gateway.history.writer import Writer
from vivavoce.gateway.opening import Opening

__all__ = ["DAY", "PATIENCE", "History"]

_log = logging.getLogger(__name__)

SHOW_SECONDS = 15.0
"""How often a gateway shows that it lives, and looks for those that do not."""

PATIENCE = 2
"""How often it must have shown itself without a failure before it takes the silence of others for their death."""

SWEEP_SECONDS = 3600.0
"""How often sessions that are too old are forgotten."""

DAY = 86_400

LAST_SECONDS = 2.0
"""How long a gateway that stops may take to write what waits."""


class History:
    """Keeps what `stage` hears, as ``settings`` say, which must not be to keep nothing.

    It is started before the first session and stopped after the last. A database that is away is no reason not to
    start. ``upstream`` names the endpoint that sessions are held with.
    """

    def __init__(
        self,
        settings: HistorySettings,
        *,
        upstream: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if settings.history == "off":
            raise ValueError("expected settings with a history, got one that is off")
        self.database = Database(settings.history_url)
        self.process = f"proc_{secrets.token_hex(8)}"
        """The name of this gateway among those that write to the same database."""
        self.store = Store(self.database, self.process)
        self.reader = Reader(self.database)
        self.writer = Writer(self._prepare, self.store.write, sleep=sleep)
        self.recorder = Recorder(settings.history_home / "recordings", self._broken)
        self._records = settings.history == "audio"
        self._days = settings.history_days
        self._upstream = upstream
        self._clock = clock
        self._sleep = sleep
        self._upkeep: asyncio.Task[None] | None = None

    def stage(self, opening: Opening) -> HistoryStage:
        """Make the stage of a session that is about to open."""
        recording = self.recorder.record(opening.id) if self._records else None
        return HistoryStage(
            opening, self.writer, upstream=self._upstream, process=self.process, recording=recording
        )

    async def start(self) -> None:
        """Begin to write."""
        self.writer.start()
        self.recorder.start()
        self._upkeep = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        """Write what waits, and let go of everything."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        await self.recorder.stop()
        await self.writer.stop(LAST_SECONDS)
        await self.database.close()

    async def forget(self, session_id: str, recording: str | None) -> bool:
        """Delete a session that is over, and its recording; tell whether there was one.

        Raises `HistoryError` where that cannot be done now.
        """
        if recording is not None and not await self._unlink(recording):
            raise HistoryError("The recording cannot be deleted.")
        return await self.store.forget([session_id]) > 0

    async def sweep(self) -> int:
        """Forget what is too old; return how many sessions that were."""
        forgotten = 0
        while self._days and (old := await self.store.expired(self._clock() - self._days * DAY)):
            gone = [session_id for session_id, name in old if name is None or await self._unlink(name)]
            if not gone:
                break
            forgotten += await self.store.forget(gone)
        if forgotten:
            _log.info("the history forgot %d sessions of more than %g days ago", forgotten, self._days)
        return forgotten

    async def _unlink(self, recording: str) -> bool:
        """Delete a recording, and tell whether that could be done; else its session stays too."""
        try:
            await asyncio.to_thread(self.recorder.forget, recording)
        except OSError as error:
            _log.error("the recording %s cannot be deleted: %s", recording, error.strerror)
            return False
        return True

    async def _prepare(self) -> None:
        await self.database.prepare()
        await self._show(by_silence=False)

    async def _show(self, *, by_silence: bool) -> None:
        now = self._clock()
        await self.store.show(now)
        if abandoned := await self.store.abandon(now, by_silence=by_silence):
            _log.warning("the history ends %d sessions of a gateway that is gone", abandoned)

    async def _keep_up(self) -> None:
        await self.writer.ready.wait()
        swept = None
        shown = 0
        while True:
            try:
                if swept is None or self._clock() - swept >= SWEEP_SECONDS:
                    await self.sweep()
                    swept = self._clock()
                await self._sleep(SHOW_SECONDS)
                # After the database was away, nobody has shown themselves: all get time to do so.
                await self._show(by_silence=shown >= PATIENCE)
                shown += 1
            except HistoryError as error:
                shown = 0
                _log.warning("the history cannot be kept up: %s", error)
                await self._sleep(SHOW_SECONDS)

    def _broken(self, session_id: str) -> None:
        self.writer(Change("sessions", session_id, session_id, {"incomplete": True}))
