import re
from pathlib import Path

import pytest

from vivavoce.engine import parts, profiles
from vivavoce.engine.choices import Http, HubFiles, Known, Local, Wyoming
from vivavoce.engine.parts import SMALL_CONTEXT_TOKENS, context_tokens
from vivavoce.engine.profiles import ANSWER_RESERVE, PROFILES, Profile, Report
from vivavoce.engine.session.answering import ANSWER_TOKENS
from vivavoce.engine.weights import CATALOGUE
from vivavoce.errors import ModelError, WeightsUnavailable

PARTS = ("voice_activity", "end_of_turn", "recogniser", "language_model", "synthesiser")


class Told:
    def __init__(self):
        self.stages = []
        self.progress = []
        self.report = Report(self.stages.append, self.progress.append)


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    """Weights that are there at once; what was asked for, in order."""
    asked = []

    async def ensure(name, *, progress):
        progress(f"{name} is here")
        asked.append(name)
        return tmp_path / name

    async def ensure_from_hub(repo, file, *, layout, revision, progress):
        asked.append(f"{repo}/{file}@{revision}")
        return tmp_path / "hub"

    monkeypatch.setattr(parts, "ensure", ensure)
    monkeypatch.setattr(parts, "ensure_from_hub", ensure_from_hub)
    return asked


@pytest.fixture
def loaders(monkeypatch):
    """Models that are nothing but their names; which of them are open."""
    opened = []

    def loader(part):
        async def load(*how):
            *choice, stack = how
            opened.append(part)
            stack.callback(opened.remove, part)
            return " ".join([part, *(getattr(one, "name", str(one)) for one in choice)])

        return load

    async def measure(models):
        return f"costs of {models.recogniser}"

    for part in PARTS:
        monkeypatch.setattr(parts, f"load_{part}", loader(part))
    monkeypatch.setattr(profiles, "measure", measure)
    return opened


@pytest.mark.parametrize("name", PROFILES)
def test_its_weights_are_in_the_catalogue(name):
    profile = PROFILES[name]
    recogniser, language_model = (
        CATALOGUE[choice.name] for choice in (profile.recogniser, profile.language_model)
    )
    assert set(profile.weights) <= CATALOGUE.keys()
    assert {file.name for file in recogniser.files} & {"model.bin", "encoder_model.ort"}
    assert any(file.name.endswith(".gguf") for file in language_model.files)


def test_the_table_tells_of_each():
    rows = dict(re.findall(r"^(\w+) +((?:Whisper|Moonshine) \w+ +\S+)", profiles.__doc__, re.MULTILINE))
    assert rows.keys() == PROFILES.keys()
    for name, row in rows.items():
        assert row.split()[-1].lower() in CATALOGUE[PROFILES[name].language_model.name].title.lower().replace(
            " ", "-"
        )


def test_an_answer_fits_behind_the_longest_prompt():
    smallest = min(context_tokens(profile.language_model) for profile in PROFILES.values())
    assert ANSWER_TOKENS <= ANSWER_RESERVE < smallest / 2


async def test_loads_what_it_names(fetched, loaders):
    told = Told()
    loaded = await Profile(Known("smollm2-135m")).load(told.report)
    assert fetched == ["whisper-base", "smart-turn-v3.2", "smollm2-135m"]
    assert told.stages == ["weights", "models"]
    assert told.progress == [f"{name} is here" for name in fetched]
    assert loaded.models.voice_activity == "voice_activity"
    assert loaded.models.end_of_turn == "end_of_turn smart-turn-v3.2 smart-turn-v3.2"
    assert loaded.models.recogniser == "recogniser whisper-base whisper-base"
    assert loaded.models.language_model == "language_model smollm2-135m smollm2-135m"
    assert loaded.models.synthesiser == "synthesiser hibari None"
    assert loaded.names == {
        "voice_activity": "silero",
        "end_of_turn": "smart-turn-v3.2",
        "recogniser": "whisper-base",
        "language_model": "smollm2-135m",
        "synthesiser": "hibari",
    }
    assert loaded.costs == "costs of recogniser whisper-base whisper-base"
    assert loaded.budget_tokens == SMALL_CONTEXT_TOKENS["smollm2-135m"] - ANSWER_RESERVE
    assert sorted(loaders) == sorted(PARTS)
    await loaded.close()
    assert loaders == []


async def test_other_models_take_the_place_of_its_own_whose_weights_are_not_fetched(fetched, loaders):
    profile = PROFILES["default"].with_parts(
        {
            "language_model": Http("http://localhost:11434/v1", "qwen3:4b"),
            "recogniser": Wyoming("localhost", 10300),
            "synthesiser": Wyoming("localhost", 10200, "low"),
        }
    )
    assert profile.weights == ("smart-turn-v3.2",)
    loaded = await profile.load(Told().report)
    assert fetched == ["smart-turn-v3.2"]
    assert loaded.models.language_model == "language_model qwen3:4b at localhost:11434 None"
    assert (loaded.names["language_model"], loaded.names["recogniser"], loaded.names["synthesiser"]) == (
        "qwen3:4b at localhost:11434",
        "wyoming at localhost:10300",
        "wyoming at localhost:10200",
    )


async def test_what_is_not_replaced_stays(fetched, loaders):
    profile = PROFILES["small"].with_parts({"recogniser": HubFiles("org/whisper", revision="v1")})
    assert profile.language_model == PROFILES["small"].language_model
    await profile.load(Told().report)
    assert fetched == ["org/whisper/@v1", "smart-turn-v3.2", "smollm2-135m"]


async def test_a_file_of_this_machine_is_not_fetched(fetched, loaders):
    profile = PROFILES["small"].with_parts({"language_model": Local(Path("/models/m.gguf"))})
    loaded = await profile.load(Told().report)
    assert fetched == ["moonshine-tiny-en", "smart-turn-v3.2"]
    assert loaded.models.language_model == "language_model m.gguf m.gguf"


@pytest.mark.parametrize("broken", PARTS)
async def test_lets_go_of_the_rest_when_one_cannot_be_loaded(fetched, loaders, monkeypatch, broken):
    async def fail(*_):
        raise ModelError("out of memory")

    monkeypatch.setattr(parts, f"load_{broken}", fail)
    with pytest.raises(ModelError, match="out of memory"):
        await PROFILES["small"].load(Told().report)
    assert loaders == []


async def test_loads_nothing_without_weights(loaders, monkeypatch):
    async def ensure(name, *, progress):
        raise WeightsUnavailable(f"{name} is nowhere", {})

    monkeypatch.setattr(parts, "ensure", ensure)
    told = Told()
    with pytest.raises(WeightsUnavailable, match="whisper-base is nowhere"):
        await PROFILES["default"].load(told.report)
    assert told.stages == ["weights"]
    assert loaders == []
