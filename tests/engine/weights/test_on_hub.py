import json

import pytest

from tests.engine.weights.doubles import COMMIT, MODEL, REPO, WORDS, FakeHub
from vivavoce.engine.weights import hub as module
from vivavoce.engine.weights.on_hub import KOKORO, WHISPER, ensure_from_hub
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable

SMALL = {"config.json": b"{}", "tokenizer.json": b'{"a": 1}', "vocabulary.json": b"[]"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(module, "_unreachable", {})


@pytest.fixture
async def hub(monkeypatch):
    async with FakeHub(**SMALL, **{"Q4/model.gguf": MODEL}).serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


async def test_a_file_that_somebody_names(hub, tmp_path):
    told = []
    folder = await ensure_from_hub(REPO, "Q4/model.gguf", progress=told.append, root=tmp_path)
    assert (folder / "Q4/model.gguf").read_bytes() == MODEL
    assert folder == tmp_path / "someone--tiny--Q4--model.gguf"
    assert hub.listed == [(REPO, "main", "blobs=true")]
    assert hub.asked == [("Q4/model.gguf", None)]
    assert (told[-1].name, told[-1].done) == ("someone/tiny/Q4/model.gguf", len(MODEL))


async def test_a_whole_model_is_the_files_that_are_needed(hub, tmp_path):
    folder = await ensure_from_hub(REPO, root=tmp_path)
    files = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert files == {*WHISPER.needed, "vocabulary.json"}
    assert all((folder / name).read_bytes() == content for name, content in SMALL.items())


async def test_a_model_that_was_cut_comes_whole(hub, tmp_path):
    parts = [f"large-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    hub.files |= {name: name.encode() for name in parts}
    folder = await ensure_from_hub(REPO, parts[0], root=tmp_path)
    assert [(folder / name).read_text() for name in parts] == parts


async def test_a_model_of_another_layout(hub, tmp_path):
    hub.files |= {name: name.encode() for name in KOKORO.needed}
    folder = await ensure_from_hub(REPO, layout=KOKORO, root=tmp_path)
    assert all((folder / name).read_text() == name for name in KOKORO.needed)
    assert not list(folder.glob(".partial"))


async def test_what_broke_off_goes_on_in_its_folder(hub, tmp_path):
    hub.breaks = [1000]
    folder = await ensure_from_hub(REPO, "Q4/model.gguf", root=tmp_path)
    assert (folder / "Q4/model.gguf").read_bytes() == MODEL
    assert hub.asked == [("Q4/model.gguf", None), ("Q4/model.gguf", "bytes=1000-")]


async def test_an_older_vocabulary_will_do(hub, tmp_path):
    hub.files["vocabulary.txt"] = hub.files.pop("vocabulary.json")
    folder = await ensure_from_hub(REPO, root=tmp_path)
    assert (folder / "vocabulary.txt").read_bytes() == b"[]"


async def test_the_second_time_nobody_is_asked(hub, tmp_path, monkeypatch):
    await ensure_from_hub(REPO, "words.txt", root=tmp_path)
    monkeypatch.setenv("VIVAVOCE_OFFLINE", "1")
    folder = await ensure_from_hub(REPO, "words.txt", root=tmp_path)
    assert (folder / "words.txt").read_bytes() == WORDS
    assert (len(hub.listed), len(hub.asked)) == (1, 1)


async def test_what_is_damaged_is_fetched_again_from_the_same_commit(hub, tmp_path):
    folder = await ensure_from_hub(REPO, "words.txt", root=tmp_path)
    (folder / "words.txt").write_bytes(b"one\ntwo\nthreE\n")
    await ensure_from_hub(REPO, "words.txt", root=tmp_path)
    assert (folder / "words.txt").read_bytes() == WORDS
    assert len(hub.listed) == 1
    assert json.loads((folder / ".hub.json").read_text())["commit"] == COMMIT


async def test_revisions_are_kept_apart(hub, tmp_path):
    first = await ensure_from_hub(REPO, "words.txt", root=tmp_path)
    second = await ensure_from_hub(REPO, "words.txt", revision="v2", root=tmp_path)
    assert first != second
    assert [revision for _, revision, _ in hub.listed] == ["main", "v2"]


@pytest.mark.parametrize("name", ["model.bin", "words.txt"])
async def test_what_is_not_what_the_hub_tells_is_refused(hub, tmp_path, monkeypatch, name):
    told = await module.listing(REPO)
    hub.files[name] = hub.files[name][::-1]

    async def listing(*_):
        return told

    monkeypatch.setattr("vivavoce.engine.weights.on_hub.listing", listing)
    with pytest.raises(
        WeightsCorrupt, match=f"{name} of someone/tiny/{name} from .* is not what it should be"
    ):
        await ensure_from_hub(REPO, name, root=tmp_path)
    assert not (tmp_path / f"someone--tiny--{name}" / name).exists()


class TestUnavailable:
    async def fails(self, tmp_path, match, repo=REPO, file="words.txt"):
        with pytest.raises(WeightsUnavailable, match=match):
            await ensure_from_hub(repo, file, root=tmp_path)
        assert list(tmp_path.iterdir()) == []

    async def test_a_repository_that_is_not_there(self, hub, tmp_path):
        await self.fails(tmp_path, r"no/such \(revision main\) is not on http.*404 Not Found", repo="no/such")

    async def test_a_repository_that_is_not_for_everybody(self, hub, tmp_path):
        hub.status = 401
        await self.fails(tmp_path, "not for everybody: it answered 401")

    async def test_a_hub_in_trouble(self, hub, tmp_path):
        hub.status = 503
        await self.fails(tmp_path, "answered 503 Service Unavailable")

    async def test_a_file_that_is_not_there(self, hub, tmp_path):
        await self.fails(tmp_path, r"expected none\.gguf, got Q4/model\.gguf, config\.json", file="none.gguf")

    async def test_a_repository_without_whisper(self, hub, tmp_path):
        del hub.files["tokenizer.json"], hub.files["vocabulary.json"]
        await self.fails(tmp_path, r"Whisper for CTranslate2 .* tokenizer\.json, vocabulary\.json", file="")

    async def test_no_network_is_allowed(self, hub, tmp_path, monkeypatch):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        await self.fails(tmp_path, "HF_HUB_OFFLINE forbids to look for it")
        assert hub.listed == []

    async def test_no_hub(self, tmp_path, monkeypatch, free_port):
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port}")
        await self.fails(tmp_path, "cannot be reached")

    async def test_no_listing(self, hub, tmp_path, monkeypatch):
        monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/someone/tiny/resolve/main/words.txt?")
        await self.fails(tmp_path, "is no listing of a repository")

    async def test_no_room_to_keep_it(self, hub, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(WeightsUnavailable, match="cannot be kept"):
            await ensure_from_hub(REPO, "words.txt", root=tmp_path / "file")
