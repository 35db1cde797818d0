import pytest

from tests.engine.weights.doubles import HUB, MODEL, WORDS, FakeHub, shelf
from vivavoce.engine.weights import hub as module
from vivavoce.engine.weights.hub import download
from vivavoce.engine.weights.progress import Meter
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(module, "_unreachable", {})


@pytest.fixture
async def hub(monkeypatch):
    async with FakeHub().serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url + "/")
        yield hub


@pytest.fixture
def tiny(tmp_path):
    return shelf(tmp_path)


@pytest.fixture
def fetch(tiny):
    told = []

    async def fetch():
        await download(tiny, HUB, Meter("tiny", tiny.weights.size, told.append))

    fetch.told = told
    return fetch


def contents(tiny):
    return [tiny.path(file).read_bytes() for file in tiny.weights.files]


async def test_brings_all_files(hub, tiny, fetch):
    await fetch()
    assert contents(tiny) == [MODEL, WORDS]
    assert tiny.missing() == []
    assert hub.asked == [("model.bin", None), ("words.txt", None)]
    assert fetch.told[-1].done == tiny.weights.size
    assert fetch.told[-1].source == "the model hub"


async def test_brings_only_what_is_missing(hub, tiny, fetch):
    tiny.folder.mkdir()
    tiny.path(tiny.weights.files[0]).write_bytes(MODEL)
    await tiny.adopt()
    await fetch()
    assert hub.asked == [("words.txt", None)]


class TestInterruption:
    async def test_goes_on_where_it_broke_off(self, hub, tiny, fetch):
        hub.breaks = [1000, 500]
        await fetch()
        assert contents(tiny) == [MODEL, WORDS]
        assert hub.asked[:3] == [
            ("model.bin", None),
            ("model.bin", "bytes=1000-"),
            ("model.bin", "bytes=1500-"),
        ]

    async def test_goes_on_the_next_time(self, hub, tiny, fetch, monkeypatch):
        monkeypatch.setattr(module, "ATTEMPTS", 1)
        hub.breaks = [1000]
        with pytest.raises(WeightsUnavailable, match="broke off 1 times, at last after 1000 bytes"):
            await fetch()
        assert tiny.missing() == list(tiny.weights.files)
        await fetch()
        assert contents(tiny) == [MODEL, WORDS]
        assert hub.asked[1] == ("model.bin", "bytes=1000-")

    async def test_begins_anew_where_the_hub_does(self, hub, tiny, fetch):
        hub.breaks = [1000]
        hub.heeds_ranges = False
        await fetch()
        assert contents(tiny) == [MODEL, WORDS]

    async def test_gives_up_after_a_while(self, hub, tiny, fetch, monkeypatch):
        monkeypatch.setattr(module, "ATTEMPTS", 3)
        hub.breaks = [1, 1, 1, 1]
        with pytest.raises(WeightsUnavailable, match="broke off 3 times, at last after 3 bytes"):
            await fetch()
        assert len(hub.asked) == 3


class TestRefusal:
    async def test_wrong_bytes(self, hub, tiny, fetch):
        hub.files["model.bin"] = MODEL[:-1] + b"x"
        with pytest.raises(
            WeightsCorrupt, match=rf"model\.bin .*expected {tiny.weights.files[0].sha256}, got "
        ):
            await fetch()
        assert not list(tiny.folder.rglob("model.bin"))

    async def test_another_size(self, hub, tiny, fetch):
        hub.files["model.bin"] = MODEL + b"more"
        with pytest.raises(WeightsCorrupt, match=f"expected {len(MODEL)} bytes, got {len(MODEL) + 4}"):
            await fetch()
        assert not tiny.path(tiny.weights.files[0]).exists()

    async def test_an_answer_that_lies_about_its_range(self, hub, tiny, fetch):
        partial = tiny.partial("hub") / "model.bin"
        partial.write_bytes(MODEL[:100])
        hub.status = 206
        with pytest.raises(WeightsUnavailable, match="answered 206"):
            await fetch()

    @pytest.mark.parametrize("status", [401, 404, 416, 500])
    async def test_an_error_is_quoted(self, hub, fetch, status):
        hub.status = status
        with pytest.raises(
            WeightsUnavailable, match=rf"{hub.url}/someone/tiny/resolve/main/model\.bin.*{status}"
        ):
            await fetch()


class TestUnreachable:
    async def test_is_said_and_remembered(self, tiny, fetch, monkeypatch, free_port):
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port}")
        with pytest.raises(WeightsUnavailable, match=f"127.0.0.1:{free_port} cannot be reached"):
            await fetch()
        monkeypatch.setattr(module.aiohttp, "ClientSession", None)  # nobody calls again
        with pytest.raises(WeightsUnavailable, match="cannot be reached"):
            await fetch()

    async def test_a_hub_that_takes_the_call_and_says_nothing(self, hub, fetch, monkeypatch):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 0.05)
        hub.silent.clear()
        with pytest.raises(WeightsUnavailable, match=f"{hub.url} cannot be reached .*no answer"):
            await fetch()
        assert len(hub.asked) == 1
