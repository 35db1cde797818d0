import pytest

from vivavoce.errors import ProtocolError
from vivavoce.gateway.upstreams.models import Models

OLD = "gpt-4o-realtime-preview-2024-10-01"


@pytest.mark.parametrize(
    ("rules", "asked", "got", "warned"),
    [
        ({}, "gpt-realtime", "gpt-realtime", False),
        ({}, OLD, OLD, False),
        ({"aliases": {"voice": "gpt-realtime-2"}}, "voice", "gpt-realtime-2", False),
        ({"openai": True}, "gpt-realtime-2.1", "gpt-realtime-2.1", False),
        ({"openai": True}, "gpt-realtime", "gpt-realtime", True),
        ({"openai": True}, "gpt-realtime-mini-2025-10-06", "gpt-realtime-mini-2025-10-06", True),
        ({"openai": True}, OLD, "gpt-realtime-2.1", True),
        ({"openai": True}, "gpt-4o-mini-realtime-preview", "gpt-realtime-2.1-mini", True),
        ({"openai": True, "default": "gpt-realtime-2"}, OLD, "gpt-realtime-2", True),
        ({"openai": True, "default": OLD}, OLD, "gpt-realtime-2.1", True),
        ({"default": "mine"}, OLD, "mine", True),
        ({"default": "mine"}, "other", "other", False),
        ({"aliases": {"a": OLD}, "default": "mine"}, "a", "mine", True),
    ],
)
def test_a_name_leads_to_a_model(rules, asked, got, warned):
    resolved = Models(**rules).resolve(asked)
    assert (resolved.model, bool(resolved.warning)) == (got, warned)


def test_a_warning_names_what_to_ask_for():
    models = Models(openai=True)
    assert models.resolve("gpt-realtime").warning.endswith("ask for gpt-realtime-2.1.")
    assert models.resolve(OLD).warning == f"The model {OLD} is gone; gpt-realtime-2.1 answers in its place."


@pytest.mark.parametrize(
    ("default", "openai", "got"),
    [(None, True, None), ("mine", False, "mine"), (OLD, True, "gpt-realtime-2.1"), (OLD, False, OLD)],
)
def test_the_default_is_current(default, openai, got):
    assert Models(default=default, openai=openai).default == got


def test_only_what_is_allowed_is_had():
    models = Models(allowed=("gpt-realtime-2",), aliases={"voice": "gpt-realtime-2"})
    assert models.resolve("voice").model == "gpt-realtime-2"
    with pytest.raises(ProtocolError, match="'gpt-realtime' does not exist here") as caught:
        models.resolve("gpt-realtime")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
