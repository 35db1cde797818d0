import re

import pytest

from vivavoce.engine import profiles
from vivavoce.engine.profiles import ANSWER_RESERVE, CONTEXT_TOKENS, PROFILES, Profile, Report
from vivavoce.engine.session.answering import ANSWER_TOKENS
from vivavoce.engine.weights import CATALOGUE
from vivavoce.errors import ModelError, WeightsUnavailable


class Told:
    def __init__(self):
        self.stages = []
        self.progress = []
        self.report = Report(self.stages.append, self.progress.append)


@pytest.fixture
def weights(monkeypatch, tmp_path):
    """Weights that are there at once; what was asked for, in order."""
    asked = []

    async def ensure(name, *, progress):
        progress(f"{name} is here")
        asked.append(name)
        return tmp_path / name

    monkeypatch.setattr(profiles, "ensure", ensure)
    return asked


@pytest.fixture
def parts(monkeypatch):
    """Models that are nothing but their names; which of them are open."""
    opened = []

    async def writer(folder, name, stack):
        opened.append("writer")
        stack.callback(opened.remove, "writer")
        return name

    async def speech(words, pauses, stack):
        opened.append("speech")
        stack.callback(opened.remove, "speech")
        return {
            "voice_activity": "ear",
            "end_of_turn": pauses.name,
            "recogniser": words.name,
            "synthesiser": "mouth",
        }

    monkeypatch.setattr(profiles, "_writer", writer)

    async def measure(models):
        return f"costs of {models.recogniser}"

    monkeypatch.setattr(profiles, "_speech", speech)
    monkeypatch.setattr(profiles, "measure", measure)
    return opened


@pytest.mark.parametrize("name", PROFILES)
def test_its_weights_are_in_the_catalogue(name):
    profile = PROFILES[name]
    recogniser, language_model = CATALOGUE[profile.recogniser], CATALOGUE[profile.language_model]
    assert set(profile.weights) <= CATALOGUE.keys()
    assert {file.name for file in recogniser.files} & {"model.bin", "encoder_model.ort"}
    assert any(file.name.endswith(".gguf") for file in language_model.files)


def test_the_table_tells_of_each():
    rows = dict(re.findall(r"^(\w+) +((?:Whisper|Moonshine) \w+ +\S+)", profiles.__doc__, re.MULTILINE))
    assert rows.keys() == PROFILES.keys()
    for name, row in rows.items():
        assert row.split()[-1].lower() in CATALOGUE[PROFILES[name].language_model].title.lower().replace(
            " ", "-"
        )


def test_an_answer_fits_behind_the_longest_prompt():
    assert ANSWER_TOKENS <= ANSWER_RESERVE < CONTEXT_TOKENS / 2


async def test_loads_what_it_names(weights, parts):
    told = Told()
    loaded = await Profile("smollm2-135m").load(told.report)
    assert weights == ["whisper-base", "smart-turn-v3.2", "smollm2-135m"]
    assert told.stages == ["weights", "models"]
    assert told.progress == [f"{name} is here" for name in weights]
    assert loaded.models.end_of_turn == "smart-turn-v3.2"
    assert (loaded.models.voice_activity, loaded.models.recogniser) == ("ear", "whisper-base")
    assert (loaded.models.language_model, loaded.models.synthesiser) == ("smollm2-135m", "mouth")
    assert loaded.names["language_model"] == "smollm2-135m"
    assert loaded.costs == "costs of whisper-base"
    assert loaded.budget_tokens == CONTEXT_TOKENS - ANSWER_RESERVE
    assert sorted(parts) == ["speech", "writer"]
    await loaded.close()
    assert parts == []


@pytest.mark.parametrize("broken", ["_writer", "_speech"])
async def test_lets_go_of_the_rest_when_one_cannot_be_loaded(weights, parts, monkeypatch, broken):
    async def fail(*_):
        raise ModelError("out of memory")

    monkeypatch.setattr(profiles, broken, fail)
    with pytest.raises(ModelError, match="out of memory"):
        await PROFILES["small"].load(Told().report)
    assert parts == []


async def test_loads_nothing_without_weights(parts, monkeypatch):
    async def ensure(name, *, progress):
        raise WeightsUnavailable(f"{name} is nowhere", {})

    monkeypatch.setattr(profiles, "ensure", ensure)
    told = Told()
    with pytest.raises(WeightsUnavailable, match="whisper-base is nowhere"):
        await PROFILES["default"].load(told.report)
    assert told.stages == ["weights"]
    assert parts == []
