"""The folder that is installed: whole, consistent, and without what Home Assistant would refuse."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import custom_components.openai_realtime as integration
from custom_components.openai_realtime import const
from custom_components.openai_realtime.activity import Activity

ROOT = Path(__file__).parents[2]
FOLDER = Path(integration.__file__).parent
MODULES = [path for path in FOLDER.glob("*.py") if path.name != "__init__.py"]
LANGUAGES = sorted(path.stem for path in (FOLDER / "translations").glob("*.json"))

RULES = 54
"""Of Home Assistant's scale, bronze to platinum."""


def read(name):
    return json.loads((FOLDER / name).read_text("utf-8"))


def flat(told, path=()):
    for key, value in told.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def test_the_manifest_is_as_it_must_be():
    manifest = read("manifest.json")
    keys = list(manifest)
    assert keys == ["domain", "name", *sorted(keys[2:])]
    assert {"codeowners", "documentation", "issue_tracker", "version"} <= manifest.keys()
    assert all("==" not in requirement for requirement in manifest["requirements"])


def test_what_is_built_is_a_repository_that_hacs_takes():
    root = FOLDER.parents[1]
    hacs = json.loads((root / "hacs.json").read_text("utf-8"))
    assert hacs.keys() <= {"name", "homeassistant", "hacs", "country", "render_readme"}
    assert [path.parent.name for path in FOLDER.parent.glob("*/manifest.json")] == [FOLDER.name]
    assert (root / "README.md").is_file()
    assert (FOLDER / "brand/icon.png").is_file()
    workflow = yaml.safe_load((ROOT / ".github/workflows/home-assistant.yml").read_text("utf-8"))
    address = f"https://github.com/{workflow['env']['REPOSITORY']}"
    assert f"add `{address}`" in (ROOT / "docs/home-assistant/set-it-up.md").read_text("utf-8")


def test_every_module_that_it_imports_is_in_it():
    """HACS and a user's copy have no other: what is missing there would keep it from loading."""
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            package = path.parents[node.level - 1]
            module = package.joinpath(*(node.module or "").split("."))
            found = module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()
            assert found, (path, node.module)


def test_its_addresses_are_those_of_the_project():
    """Who follows one of them comes to this repository, whether from the card, from HACS or from an index."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    manifest = read("manifest.json")
    home = project["urls"]["Homepage"]
    assert manifest["issue_tracker"] == project["urls"]["Issues"]
    owner = home.removeprefix("https://github.com/").partition("/")[0]
    assert manifest["codeowners"] == [f"@{owner}"]
    card = (FOLDER / "frontend/homeassistant/card.js").read_text("utf-8")
    pages = [manifest["documentation"], *re.findall(r"documentationURL: '(.+)'", card)]
    assert len(pages) == 2
    for page in pages:
        assert page.startswith(f"{home}/blob/main/docs/")
        assert (ROOT / page.removeprefix(f"{home}/blob/main/")).is_file()


def test_it_needs_no_other_copy_of_the_library():
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name and name.split(".")[0] == "vivavoce"], path


def test_there_are_three_languages_at_least():
    assert {"de", "en", "fr"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_whole(language):
    english, other = (
        dict(flat(read("translations/en.json"))),
        dict(flat(read(f"translations/{language}.json"))),
    )
    assert other.keys() == english.keys()
    for key, text in other.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", english[key])), key
    if language != "en":
        same = [key for key, text in other.items() if text == english[key] and len(text.split()) > 3]
        assert not same


def test_every_error_is_translated_and_every_translation_is_an_errors():
    """Whatever key an error, an issue or an entity has is written as a word somewhere."""
    code = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    words = set(re.findall(r"\"(\w+)\"", code))
    told = read("translations/en.json")
    raised = set(re.findall(r"Error\((?:[^()]|\([^()]*\))*translation_key=\"(\w+)\"", code))
    assert raised
    assert raised <= told["exceptions"].keys()
    assert told["exceptions"].keys() <= words
    assert set(re.findall(r"translation_key=\"(\w+)\"", code)) <= {
        *told["exceptions"],
        *told["issues"],
        *(key for platform in told["entity"].values() for key in platform),
    }
    assert told["issues"].keys() <= words


def test_every_field_of_a_form_is_told_and_explained():
    """What a form asks for stands in the constants; each has a label and a sentence."""
    told = read("translations/en.json")
    forms = [*told["config"]["step"].values(), *told["options"]["step"].values()]
    for subentry in told["config_subentries"].values():
        forms += subentry["step"].values()
    for form in forms:
        assert form.get("data", {}).keys() == form.get("data_description", {}).keys(), form["title"]
    fields = set().union(*(form.get("data", {}) for form in forms))
    core = {"api_key", "llm_hass_api", "model", "name", "prompt", "url"}
    ours = {value for name, value in vars(const).items() if name.startswith("CONF_")} - {"kind"}
    assert fields == core | ours


def test_entities_have_names_and_pictures():
    """Sensors have pictures of their own, but for what a class of devices draws."""
    told, drawn = read("translations/en.json")["entity"], read("icons.json")["entity"]
    drawn_by_class = {("binary_sensor", "connected")}
    for domain, entities in told.items():
        for key in entities:
            assert key in drawn.get(domain, {}) or (domain, key) in drawn_by_class
    for domain, entities in drawn.items():
        assert entities.keys() - {"agent"} <= told.get(domain, {}).keys(), domain


def test_choices_are_told():
    told = read("translations/en.json")["selector"]
    values = {value for value in vars(const).values() if isinstance(value, str)}
    for key, choices in told.items():
        assert choices["options"].keys() <= values, key
    triggers = read("translations/en.json")["device_automation"]["trigger_type"]
    turn = read("translations/en.json")["entity"]["event"]["turn"]["state_attributes"]
    assert triggers.keys() == turn["event_type"]["state"].keys() == set(Activity.KINDS)


def test_actions_are_described_and_drawn():
    described = yaml.safe_load((FOLDER / "services.yaml").read_text("utf-8"))
    told = read("translations/en.json")["services"]
    assert described.keys() == told.keys() == read("icons.json")["services"].keys()
    for name, action in described.items():
        assert (action.get("fields") or {}).keys() == told[name].get("fields", {}).keys()


def test_every_rule_of_the_scale_is_done_or_argued():
    rules = yaml.safe_load((FOLDER / "quality_scale.yaml").read_text("utf-8"))["rules"]
    assert len(rules) == RULES
    for rule, status in rules.items():
        assert status == "done" or (status["status"] == "exempt" and status["comment"]), rule


def test_it_has_pictures():
    for name in ("icon", "icon@2x", "dark_icon", "dark_icon@2x"):
        assert (FOLDER / "brand" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
