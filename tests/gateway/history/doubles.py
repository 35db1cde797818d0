"""A session as its stage sees it, and databases to keep it in."""

import asyncio
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.gateway.doubles import gateway
from vivavoce.gateway import GatewaySettings
from vivavoce.gateway.history.history import History
from vivavoce.gateway.history.stage import HistoryStage
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.passage import End
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.session_params import RealtimeSessionParams

STARTED_AT = 1_800_000_000.0


def opening(session_id="sess_1", user="ada", model="gpt-realtime-2", **kwargs):
    return Opening(
        session_id, Caller(user, **kwargs), model, RealtimeSessionParams(), "ga", started_at=STARTED_AT
    )


def frame(type_, /, **fields):
    return Frame(json.dumps({"type": type_, "event_id": "event_1", **fields}))


def audio(ms, rate=24_000, width=2, value=b"\1"):
    return base64.b64encode(value * (ms * rate * width // 1000)).decode()


def session(**fields):
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_upstream",
        "expires_at": 0,
        **fields,
    }


def message(item_id, role="assistant", content=(), status="completed"):
    return {"type": "message", "id": item_id, "role": role, "status": status, "content": list(content)}


def response(response_id="resp_1", status="completed", **fields):
    return {"object": "realtime.response", "id": response_id, "status": status, **fields}


class Rows:
    """A sink that keeps every row as the database would have it."""

    def __init__(self):
        self.changes = []
        self.tables = {"sessions": {}, "items": {}, "responses": {}}

    def __call__(self, change):
        self.changes.append(change)
        self.tables[change.table].setdefault(change.id, {}).update(change.values)

    @property
    def session(self):
        (row,) = self.tables["sessions"].values()
        return row

    @property
    def items(self):
        return self.tables["items"]

    @property
    def responses(self):
        return self.tables["responses"]

    def words(self):
        ordered = sorted(self.items.values(), key=lambda row: row["position"])
        return [
            "".join(part.get("transcript") or part.get("text") or "" for part in row["content"])
            for row in ordered
        ]


class Session:
    """A stage, driven by hand."""

    def __init__(self, recording=None, **kwargs):
        self.rows = Rows()
        self.stage = HistoryStage(
            opening(**kwargs), self.rows, upstream="engine", process="proc_1", recording=recording
        )
        self.now = 100.0

    def wait(self, seconds):
        self.now += seconds
        return self

    def up(self, type_, **fields):
        sent = frame(type_, **fields)
        if type_ in self.stage.glances_up:
            self.stage.saw_up(sent.data, self.now)
            return
        (effect,) = self.stage.up(sent, self.now)
        assert effect.frame is sent

    def down(self, type_, **fields):
        sent = frame(type_, **fields)
        if type_ in self.stage.glances_down:
            self.stage.saw_down(sent.data, self.now)
            return
        (effect,) = self.stage.down(sent, self.now)
        assert effect.frame is sent

    def tick(self):
        assert list(self.stage.tick(self.now)) == []
        return self.rows

    def end(self, code=1000, reason=""):
        self.stage.ended(End(code, reason), self.now)
        return self.rows

    def say(self, item_id="item_1", *, ms=1000, words="Good morning.", response_id="resp_1"):
        """Speak an answer, all of it at once."""
        common = {"response_id": response_id, "output_index": 0}
        part = {"item_id": item_id, "content_index": 0, **common}
        spoken = [{"type": "output_audio", "transcript": words}]
        self.down("response.created", response=response(response_id, "in_progress"))
        self.down("response.output_item.added", item=message(item_id, status="in_progress"), **common)
        self.down("conversation.item.added", item=message(item_id, status="in_progress"))
        self.down("response.output_audio_transcript.delta", delta=words, **part)
        self.down("response.output_audio.delta", delta=audio(ms), **part)
        self.down("response.output_audio_transcript.done", transcript=words, **part)
        self.down("conversation.item.done", item=message(item_id, content=spoken))
        self.down("response.output_item.done", item=message(item_id, content=spoken), **common)


def postgres_programs():
    """Return the folder of initdb and pg_ctl, or None where there is no PostgreSQL server."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("pg_ctl"):
        places.append(Path(found).resolve().parent)
    return next((place for place in places if (place / "initdb").exists() and shutil.which("psql")), None)


class PostgreSQL:
    """A server of its own in a folder, on a port of loopback."""

    def __init__(self, folder, port):
        self._folder = folder
        self._port = port
        # It refuses to run as root.
        self._user = {"user": "postgres"} if os.name == "posix" and os.geteuid() == 0 else {}
        if self._user:
            shutil.chown(folder, "postgres")
        self._run("initdb", "--auth=trust", "--username=viva", "--no-sync", "--encoding=UTF8", "--locale=C")

    @property
    def url(self):
        return f"postgresql://viva:secret@127.0.0.1:{self._port}/postgres"

    def start(self):
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-o", options, "-l", str(self._folder / "log"), "--wait", "start")

    def stop(self):
        self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    def execute(self, statement):
        subprocess.run([shutil.which("psql"), self.url, "-qc", statement], check=True, capture_output=True)

    def _run(self, program, *arguments):
        command = [postgres_programs() / program, "-D", self._folder / "data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._user)


@contextmanager
def own_postgresql():
    """Run a PostgreSQL server of one's own; it has to be started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Not in pytest's folder, which another user, as whom the server may have to run, cannot enter.
    with tempfile.TemporaryDirectory(prefix="vivavoce-postgresql-") as folder:
        server = PostgreSQL(Path(folder), port)
        yield server
        server.stop()


@asynccontextmanager
async def keeping(folder, upstream=None, /, *, clock=time.time, **settings):
    """Run a gateway that keeps a history for ever; it has the `History` as ``history``."""
    settings = {"history": "text", "history_days": 0, "history_folder": folder, **settings}
    history = History(GatewaySettings(**settings), upstream="engine", clock=clock)
    async with gateway(upstream, stages=(history.stage,), keeps=history, **settings) as running:
        running.history = history
        yield running


async def ask(running, question="Who are you?", **kwargs):
    """Hold a session of one written question; return what was answered."""
    async with running.connect(**kwargs) as ws:
        content = [{"type": "input_text", "text": question}]
        item = {"type": "message", "role": "user", "content": content}
        await ws.send_json({"type": "conversation.item.create", "item": item})
        await ws.send_json({"type": "response.create"})
        event = {}
        while event.get("type") != "response.done":
            event = await ws.receive_json()
        return event["response"]["output"][0]["content"][0]["transcript"]


async def told(running, path="", status=200, **kwargs):
    """Ask the history, which first writes what waits."""
    await running.history.writer.flush()
    async with running.get(f"/api/v1/sessions{path}", **kwargs) as response:
        body = await response.json()
        assert response.status == status, body
        return body


async def ended(running, count=1, **kwargs):
    """Wait until so many sessions are over; return them."""
    while True:
        page = await told(running, "?state=ended", **kwargs)
        if len(page["data"]) >= count:
            return page["data"]
        await asyncio.sleep(0.01)
