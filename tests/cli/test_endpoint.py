import io
import json
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from tests.cli.endpoints import FakeEndpoint
from tests.client.doubles import ScriptedTransport
from vivavoce.cli.endpoint import open_endpoint, recording
from vivavoce.client.recording import Recording
from vivavoce.errors import VivaVoceError, WeightsUnavailable


async def test_with_a_url_the_session_is_there():
    endpoint = FakeEndpoint()
    async with endpoint.serving() as url, open_endpoint(url, api_key="sk-1", model="m") as connect:
        transport = await connect()
        assert json.loads(await transport.receive())["type"] == "session.created"
        await transport.close()
    assert endpoint.requests[0].headers["Authorization"] == "Bearer sk-1"
    assert endpoint.requests[0].query["model"] == "m"


class FakeEngine:
    """What the command line uses of an engine."""

    made: list["FakeEngine"] = []  # noqa: RUF012
    failure = None

    def __init__(self, profile):
        self.profile = profile
        self.closed = False
        self.session = ScriptedTransport()
        self.made.append(self)

    async def start(self, progress):
        progress(SimpleNamespace(name="whisper-base", done=1, total=2))
        if self.failure:
            raise self.failure

    def connect(self, model):
        self.model = model
        return self.session

    async def close(self):
        self.closed = True


@pytest.fixture
def engine(monkeypatch):
    FakeEngine.made = []
    monkeypatch.setattr(FakeEngine, "failure", None)
    monkeypatch.setitem(sys.modules, "vivavoce.engine", SimpleNamespace(Engine=FakeEngine))
    return FakeEngine


async def test_without_a_url_it_is_with_the_engine_of_this_process(engine):
    console = Console(file=io.StringIO(), force_terminal=True)
    async with open_endpoint(None, model="m", engine_profile="small", console=console) as connect:
        made = engine.made[0]
        assert connect() is made.session
        assert (made.profile, made.model, made.closed) == ("small", "m", False)
    assert made.closed
    assert "Fetching whisper-base" in console.file.getvalue()


async def test_an_engine_that_does_not_start_is_closed(engine, monkeypatch):
    monkeypatch.setattr(FakeEngine, "failure", WeightsUnavailable("no source"))
    with pytest.raises(WeightsUnavailable):
        async with open_endpoint(None, console=Console(file=io.StringIO())):
            pass
    assert engine.made[0].closed


async def test_a_command_that_fails_closes_all(engine):
    with pytest.raises(KeyError):
        async with open_endpoint(None, console=Console(file=io.StringIO())):
            raise KeyError
    assert engine.made[0].closed


async def test_without_the_engine_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "vivavoce.engine", None)
    with pytest.raises(VivaVoceError, match=r"pip install 'vivavoce\[engine\]'"):
        async with open_endpoint(None):
            pass


def test_a_recording_is_made_only_where_it_is_wanted(tmp_path):
    with recording(None, None, "m") as recorder:
        assert recorder is None
    with recording(tmp_path / "it", "wss://host/v1", "m"):
        pass
    info = Recording.load(tmp_path / "it").info
    assert (info.endpoint, info.model) == ("wss://host/v1", "m")
