import asyncio
import hashlib
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engine.weights.doubles import MODEL, WORDS, shelf
from vivavoce.engine.weights import cache as module
from vivavoce.engine.weights.cache import default_root, sha256_of, write_atomically
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable


@pytest.fixture
def tiny(tmp_path):
    one = shelf(tmp_path)
    one.folder.mkdir()
    return one


async def fill(tiny):
    tiny.path(tiny.weights.files[0]).write_bytes(MODEL)
    tiny.path(tiny.weights.files[1]).write_bytes(WORDS)
    await tiny.adopt()
    assert tiny.missing() == []


@pytest.fixture
def hashed(monkeypatch):
    """Take note of the files that are hashed."""
    seen = []

    async def note(path):
        seen.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(module, "sha256_of", note)
    return seen


class TestRoot:
    def test_follows_the_environment(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        for variable in ("VIVAVOCE_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(variable, raising=False)
        assert default_root() == tmp_path / ".cache" / "vivavoce" / "weights"
        monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")  # to be ignored, says its specification
        assert default_root() == tmp_path / ".cache" / "vivavoce" / "weights"
        monkeypatch.setenv("XDG_CACHE_HOME", "/x")
        assert default_root() == Path("/x/vivavoce/weights")
        monkeypatch.setenv("VIVAVOCE_CACHE", "~/voice")
        assert default_root() == tmp_path / "voice" / "weights"


class TestStamp:
    async def test_files_that_were_verified_are_not_hashed_again(self, tiny, hashed):
        await fill(tiny)
        assert sorted(hashed) == ["model.bin", "words.txt"]
        again = shelf(tiny.folder.parent)
        assert again.missing() == []
        await again.adopt()
        assert len(hashed) == 2

    async def test_a_file_that_was_touched_is_looked_into_again(self, tiny, hashed):
        await fill(tiny)
        path = tiny.path(tiny.weights.files[0])
        os.utime(path, ns=(1, 1))
        assert [file.name for file in tiny.missing()] == ["model.bin"]
        await tiny.adopt()
        assert hashed[2:] == ["model.bin"]
        assert tiny.missing() == []

    async def test_a_file_that_is_damaged_is_not_adopted(self, tiny):
        await fill(tiny)
        path = tiny.path(tiny.weights.files[0])
        path.write_bytes(MODEL[:-1] + b"x")
        os.utime(path, ns=(1, 1))
        await tiny.adopt()
        assert [file.name for file in tiny.missing()] == ["model.bin"]
        assert not path.exists()

    async def test_another_size_is_seen_without_reading(self, tiny, hashed):
        await fill(tiny)
        tiny.path(tiny.weights.files[1]).write_bytes(WORDS + b"four")
        assert [file.name for file in tiny.missing()] == ["words.txt"]
        assert len(hashed) == 2

    @pytest.mark.parametrize("stamp", ["", "[]", '{"model.bin": 3}', "\xff"])
    async def test_a_broken_stamp_counts_for_nothing(self, tiny, stamp):
        await fill(tiny)
        (tiny.folder / ".verified.json").write_text(stamp, encoding="latin-1")
        assert len(tiny.missing()) == 2
        await tiny.adopt()
        assert tiny.missing() == []


class TestVerify:
    async def test_good_files_pass(self, tiny):
        await fill(tiny)
        await tiny.verify()

    async def test_says_what_is_missing(self, tiny):
        with pytest.raises(WeightsUnavailable, match=r"no model\.bin there"):
            await tiny.verify()

    async def test_finds_what_the_stamp_hides(self, tiny):
        await fill(tiny)
        path = tiny.path(tiny.weights.files[0])
        before = path.stat()
        path.write_bytes(MODEL[:-1] + b"x")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert tiny.missing() == []
        with pytest.raises(WeightsCorrupt) as caught:
            await tiny.verify()
        expected = tiny.weights.files[0].sha256
        got = hashlib.sha256(MODEL[:-1] + b"x").hexdigest()
        assert f"expected {expected}, got {got}" in str(caught.value)
        assert "model.bin" in str(caught.value)
        assert not path.exists()


class TestSpace:
    def test_says_how_much_is_needed_and_what_to_do(self, tiny, monkeypatch):
        usage = SimpleNamespace(free=1_000_000)
        monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(WeightsUnavailable, match=r"needs 268 MB .* where 1 MB are free.*VIVAVOCE_CACHE"):
            tiny.check_space()

    def test_what_has_come_already_needs_no_room(self, tiny, monkeypatch):
        monkeypatch.setattr(module, "SPARE_BYTES", 0)
        usage = SimpleNamespace(free=len(WORDS))
        monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(WeightsUnavailable):
            tiny.check_space()
        (tiny.partial("hub") / "model.bin").write_bytes(MODEL)
        tiny.check_space()


class TestLock:
    async def test_one_at_a_time(self, tiny, monkeypatch):
        turned_away = asyncio.Event()
        real = module.Timeout

        class Watched(module.FileLock):
            def acquire(self, *args, **kwargs):
                try:
                    return super().acquire(*args, **kwargs)
                except real:
                    turned_away.set()
                    raise

        monkeypatch.setattr(module, "FileLock", Watched)
        monkeypatch.setattr(module, "LOCK_SECONDS", 0.001)
        order = []

        async def second():
            async with tiny.locked():
                order.append("second")

        async with tiny.locked():
            waiting = asyncio.create_task(second())
            await turned_away.wait()
            order.append("first")
        await waiting
        assert order == ["first", "second"]

    async def test_is_free_again_after_a_failure(self, tiny):
        with pytest.raises(KeyError):
            async with tiny.locked():
                raise KeyError
        async with asyncio.timeout(1), tiny.locked():
            pass


async def test_a_hash_is_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HASH_CHUNK", 7)
    path = tmp_path / "file"
    path.write_bytes(MODEL)
    assert await sha256_of(path) == hashlib.sha256(MODEL).hexdigest()


def test_small_files_change_at_once(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "old")
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
