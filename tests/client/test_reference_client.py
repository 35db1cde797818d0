"""The table of what the reference client's things are called here names what there is."""

import inspect
import re
from pathlib import Path

import pytest

from vivavoce import SyncRealtimeClient, client, errors
from vivavoce.audio import devices, pcm, wav
from vivavoce.client import microphone
from vivavoce.client.changes import CHANGES
from vivavoce.client.configuration import FIELDS
from vivavoce.client.notices import ConnectionInterrupted, StateRestored
from vivavoce.protocol import client_events, ids
from vivavoce.protocol.server_events import ServerEvent

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "from-the-reference-client.md").read_text()
ROWS = [row.split(" | ", 1)[1] for row in PAGE.splitlines() if row.startswith("| ") and "`" in row]
NAMES = sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row)})
MODULES = (client, devices, pcm, wav, microphone, client_events, ids, errors)
EVENTS = {
    *CHANGES,
    *(kind.__struct_config__.tag for kind in ServerEvent.__args__),
    ConnectionInterrupted.type,
    StateRestored.type,
    "*",
}
OF_PYTHON = {"async for", "async with", "base64", "concatenate", "web/"}
THEIRS = {"modalities", "input_audio_transcription", "max_response_output_tokens"}
"""Names of the beta protocol, in rows that say what has become of them."""


def named(name):
    return next((getattr(module, name) for module in MODULES if hasattr(module, name)), None)


def exists(name):
    if name in EVENTS | OF_PYTHON | THEIRS | FIELDS.keys():
        return True
    if call := re.fullmatch(r"(\w+)\((.*)\)", name):
        given = re.findall(r"(\w+)=", call[2])
        return set(given) <= set(inspect.signature(named(call[1])).parameters)
    owner, _, member = name.partition(".")
    made = named(owner)
    if made is None or not member:
        return made is not None
    fields = {
        *getattr(made, "__dataclass_fields__", ()),
        *re.findall(r"self\.(\w+)\b", inspect.getsource(made)),
    }
    return hasattr(made, member) or member in fields


@pytest.mark.parametrize("name", NAMES)
def test_it_exists(name):
    assert exists(name)


@pytest.mark.parametrize(
    "name", ["RealtimeClient.sing", "Singer", "RealtimeClient(voice=…)", "response.sung"]
)
def test_what_is_not_there_would_be_noticed(name):
    assert not exists(name)


def test_the_names_are_found():
    assert {"RealtimeClient.send_text", "Conversation.on", "RealtimeClient(speaker=…)", "item.appended"} <= {
        *NAMES
    }
    assert len(ROWS) > 50


def test_the_other_client_can_the_same():
    for name in NAMES:
        owner, _, member = name.partition(".")
        if owner == "RealtimeClient" and "(" not in name and member:
            assert hasattr(SyncRealtimeClient, member) or member == "conversation", name
