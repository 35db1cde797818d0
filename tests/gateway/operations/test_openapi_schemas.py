import json
import re
from pathlib import Path

import msgspec
import pytest

from vivavoce.gateway.operations.openapi_schemas import SCHEMAS, Error, Item, Session
from vivavoce.gateway.refusal import Refusal

HISTORY = Path(__file__).parents[3] / "docs" / "reference" / "history.md"


def _example(heading):
    return re.search(rf"## {heading}\n+```json\n(.*?)```", HISTORY.read_text(), re.DOTALL)[1]


@pytest.mark.parametrize(("heading", "kind"), [("A session", Session), ("An item", Item)])
def test_examples_of_the_reference_fit(heading, kind):
    example = _example(heading)
    assert msgspec.json.decode(example, type=kind).id == json.loads(example)["id"]
    assert SCHEMAS[kind.__name__]["properties"].keys() <= json.loads(example).keys() | {"object"}


def test_refusals_fit():
    refusal = Refusal(404, "No.", code="not_found").response()
    assert msgspec.json.decode(refusal.body, type=Error).error.code == "not_found"
