import pytest

from vivavoce.gateway.opening import ANYONE, Caller, Opening
from vivavoce.gateway.passage import Stage
from vivavoce.protocol.session_params import RealtimeSessionParams

from .doubles import gateway


def test_anyone_sees_nothing_of_others():
    assert (ANYONE.key, ANYONE.group, ANYONE.admin) == ("", "", False)


def test_says_nothing_of_a_key_but_its_name():
    opening = Opening("sess_1", Caller("ada", key="laptop"), "m", RealtimeSessionParams(), "ga", 0.0)
    with pytest.raises(AttributeError):
        opening.model = "another"


async def test_the_stages_of_a_session_learn_who_opens_it_and_for_what():
    openings = []

    def remember(opening):
        openings.append(opening)
        return Stage()

    async with gateway(stages=(remember, lambda _: None)) as running:
        for model in ("one", "two"):
            async with running.connect(f"/v1/realtime?model={model}") as ws:
                await ws.receive()
    assert [(opening.caller, opening.model, opening.dialect) for opening in openings] == [
        (ANYONE, "one", "ga"),
        (ANYONE, "two", "ga"),
    ]
    assert openings[0].id.startswith("sess_")
    assert openings[0].id != openings[1].id
