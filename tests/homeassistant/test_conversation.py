"""What is written to an agent, and what comes back."""

from homeassistant.components import conversation
from homeassistant.core import Context

from vivavoce.testing import Turn


async def converse(hass, text, conversation_id=None):
    return await conversation.async_converse(
        hass, text, conversation_id, Context(), agent_id="conversation.ada"
    )


def speech(result):
    return result.response.speech["plain"]["speech"]


async def test_an_answer_in_writing(home, endpoint, set_up):
    url = await endpoint(Turn(expect="Hello there.", say="Good morning."))
    await set_up(url)
    result = await converse(home, "Hello there.")
    assert speech(result) == "Good morning."
    assert not result.continue_conversation


async def test_a_conversation_is_one_session(home, endpoint, set_up):
    url = await endpoint(
        Turn(expect="I am Ada.", say="Hello Ada."), Turn(expect="Who am I?", say="You are Ada.")
    )
    entry = await set_up(url)
    first = await converse(home, "I am Ada.")
    second = await converse(home, "Who am I?", first.conversation_id)
    assert speech(second) == "You are Ada."
    (agent,) = entry.runtime_data.agents.values()
    assert list(agent.sessions) == [first.conversation_id]
