import asyncio
import json
import threading

import msgspec
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vivavoce.client.tool import ToolContext
from vivavoce.client.toolbox import Toolbox
from vivavoce.errors import ToolError
from vivavoce.tools import memory as room
from vivavoce.tools.memory import MOST_KEYS, JsonMemory, SqliteMemory, memory_tools


@pytest.fixture(params=[JsonMemory, SqliteMemory])
def memory(request, tmp_path):
    return request.param(tmp_path / "kept" / "memory")


async def test_what_is_remembered_is_there_next_time(memory):
    assert await memory.known("ada") == {}
    await memory.remember("ada", "tea", "black")
    await memory.remember("ada", "tea", "green")
    again = type(memory)(memory._path)
    assert await again.known("ada") == {"tea": "green"}
    assert await again.forget("ada", "tea")
    assert not await again.forget("ada", "tea")
    assert await memory.known("ada") == {}


async def test_users_are_kept_apart(memory):
    await memory.remember("ada", "tea", "black")
    await memory.remember("", "tea", "nobody's")
    assert not await memory.forget("bob", "tea")
    assert await memory.known("bob") == {}
    assert await memory.known("ada") == {"tea": "black"}


async def test_there_is_a_limit(memory, monkeypatch):
    monkeypatch.setattr(room, "MOST_KEYS", 2)
    for key in ("a", "b", "b"):
        await memory.remember("ada", key, "x")
    with pytest.raises(ToolError, match="No more than 2"):
        await memory.remember("ada", "c", "x")
    assert await memory.known("ada") == {"a": "x", "b": "x"}
    await memory.remember("bob", "c", "x")


async def test_many_at_once_lose_nothing(memory):
    await asyncio.gather(*(memory.remember("ada", f"key_{n}", str(n)) for n in range(20)))
    assert len(await memory.known("ada")) == 20


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,
    derandomize=True,
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["ada", "bob"]), st.text(max_size=3), st.one_of(st.none(), st.text(max_size=5))
        )
    )
)
def test_it_is_a_dictionary_for_each_user(tmp_path, steps):
    for kind in (JsonMemory, SqliteMemory):
        memory, expected = kind(tmp_path / f"{kind.__name__}{threading.get_ident()}{len(steps)}"), {}
        memory._path.unlink(missing_ok=True)

        async def play(memory=memory, expected=expected):
            for user, key, value in steps:
                known = expected.setdefault(user, {})
                if value is None:
                    assert await memory.forget(user, key) == (known.pop(key, None) is not None)
                else:
                    known[key] = value
                    await memory.remember(user, key, value)
            assert {user: await memory.known(user) for user in expected} == expected

        asyncio.run(play())


async def test_a_file_that_is_something_else_is_left_alone(memory):
    memory._path.parent.mkdir()
    memory._path.write_text("[1, 2]" * 100)
    with pytest.raises(ToolError, match=r"cannot be (read|used)"):
        await memory.known("ada")
    with pytest.raises(ToolError, match=r"cannot be (read|used)"):
        await memory.remember("ada", "tea", "black")
    assert memory._path.read_text() == "[1, 2]" * 100


async def test_a_place_that_cannot_be_written_is_told(memory, tmp_path):
    (tmp_path / "kept").write_text("a file, where there should be a folder")
    with pytest.raises(ToolError, match="The memory cannot be"):
        await memory.remember("ada", "tea", "black")


async def test_the_file_can_be_read_by_people(tmp_path):
    memory = JsonMemory(tmp_path / "memory.json")
    await memory.remember("ada", "tea", "grün")
    text = (tmp_path / "memory.json").read_text(encoding="utf-8")
    assert '"tea": "grün"' in text
    assert json.loads(text) == {"ada": {"tea": "grün"}}


async def test_a_file_that_is_never_free_is_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "LOCK_SECONDS", 0.01)
    memory = JsonMemory(tmp_path / "memory.json")
    with FileLock(tmp_path / "memory.json.lock"), pytest.raises(ToolError, match="busy"):
        await memory.remember("ada", "tea", "black")


async def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    memory = JsonMemory(tmp_path / "memory.json")
    await memory.remember("ada", "tea", "black")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ToolError, match="No space left"):
        await memory.remember("ada", "tea", "green")
    assert await memory.known("ada") == {"tea": "black"}
    assert {path.name for path in tmp_path.iterdir()} <= {"memory.json", "memory.json.lock"}


class TestTools:
    @pytest.fixture
    def run(self, memory):
        toolbox = Toolbox(*memory_tools(memory))

        async def run(name, user="ada", **arguments):
            text = await toolbox.run("call_1", name, json.dumps(arguments), ToolContext(user))
            return text if text[0] != "{" else msgspec.json.decode(text)

        return run

    async def test_remember_recall_and_forget(self, run):
        assert await run("set_memory", key="tea", value="black") == "Remembered."
        assert await run("get_memory") == {"tea": "black"}
        assert await run("get_memory", key="tea") == {"tea": "black"}
        assert await run("get_memory", user="bob") == {}
        assert await run("delete_memory", key="tea") == "Forgotten."

    async def test_say_what_there_is(self, run):
        assert "nothing at all" in (await run("get_memory", key="tea"))["error"]
        await run("set_memory", key="name", value="Ada")
        assert "There is: name." in (await run("get_memory", key="tea"))["error"]
        assert "Nothing" in (await run("delete_memory", key="tea"))["error"]

    async def test_have_limits(self, run):
        assert "length" in (await run("set_memory", key="x" * 65, value="x"))["error"]
        assert "length" in (await run("set_memory", key="x", value="x" * 1001))["error"]
        assert "length" in (await run("set_memory", key="", value="x"))["error"]
        assert MOST_KEYS == 100
