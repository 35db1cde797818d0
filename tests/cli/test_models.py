import pytest
from typer.testing import CliRunner

from vivavoce.cli import models as module
from vivavoce.cli.models import FAILED_EXIT, NAME_EXIT, app
from vivavoce.engine.weights import CATALOGUE, Progress
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable


@pytest.fixture
def here(monkeypatch):
    """The names that are in the cache; what is fetched is added."""
    here = set()

    async def ensure(name, *, progress):
        total = CATALOGUE[name].size
        progress(Progress(name, "f", total // 2, total, "a test"))
        here.add(name)
        return f"/cache/{name}"

    monkeypatch.setattr(module, "ensure", ensure)
    monkeypatch.setattr(module, "present", here.__contains__)
    return here


def command(*arguments):
    return CliRunner().invoke(app, arguments)


class TestList:
    def test_tells_size_licence_and_presence(self, here):
        here.add("whisper-base")
        rows = {line.split()[0]: line for line in command("list").output.splitlines()[1:]}
        assert rows.keys() == CATALOGUE.keys()
        assert "148 MB" in rows["whisper-base"]
        assert "MIT" in rows["whisper-base"]
        assert "present" in rows["whisper-base"]
        assert "absent" in rows["qwen2.5-coder-1.5b"]


class TestFetch:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ([], {"whisper-base", "smart-turn-v3.2", "qwen2.5-coder-1.5b"}),
            (["--profile", "small"], {"moonshine-tiny-en", "smart-turn-v3.2", "smollm2-135m"}),
            (["smart-turn-v3.2"], {"smart-turn-v3.2"}),
            (["smart-turn-v3.2", "--profile", "compact"],
             {"smart-turn-v3.2", "whisper-base", "qwen2.5-coder-0.5b"}),
        ],
    )  # fmt: skip
    def test_fetches_what_is_asked_for(self, here, arguments, expected):
        result = command("fetch", *arguments)
        assert result.exit_code == 0, result.output
        assert here == expected
        assert all(f"{name} is in /cache/{name}" in result.output for name in expected)

    @pytest.mark.parametrize("arguments", [["nope"], ["--profile", "nope"]])
    def test_an_unknown_name_is_told_before_anything_is_fetched(self, here, arguments):
        result = command("fetch", *arguments)
        assert result.exit_code == NAME_EXIT
        assert "'nope'" in result.stderr
        assert not here

    def test_a_failure_is_told_and_is_an_exit_code(self, monkeypatch):
        async def fail(name, *, progress):
            raise WeightsUnavailable("no source [1] has it")

        monkeypatch.setattr(module, "ensure", fail)
        result = command("fetch", "whisper-base")
        assert result.exit_code == FAILED_EXIT
        assert "no source [1] has it" in result.stderr


class TestVerify:
    @pytest.fixture(autouse=True)
    def verified(self, monkeypatch):
        async def verify(name):
            if name == "smollm2-135m":
                raise WeightsCorrupt("it is damaged")

        monkeypatch.setattr(module, "verify_weights", verify)

    def test_all_that_are_here(self, here):
        here.add("whisper-base")
        result = command("verify")
        assert (result.exit_code, result.output) == (0, "whisper-base is good.\n")

    def test_damage_is_told_and_the_others_are_verified_too(self, here):
        here.add("smollm2-135m")
        result = command("verify", "smollm2-135m", "whisper-base")
        assert result.exit_code == FAILED_EXIT
        assert "it is damaged" in result.stderr
        assert "whisper-base is good." in result.stdout

    def test_nothing_here(self, here):
        result = command("verify")
        assert (result.exit_code, result.output) == (0, "There are no weights here.\n")
