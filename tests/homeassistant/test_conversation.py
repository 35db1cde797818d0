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


async def test_instructions_stay_as_they_are_while_time_passes(home, endpoint, set_up, clock):
    """A model need not read all that was said again; it is told the time behind that, before the user's words."""
    url = await endpoint(Turn(say="Yes."), after="repeat", complete=False)
    entry = await set_up(url)
    clock(0)
    first = await converse(home, "One?")
    (agent,) = entry.runtime_data.agents.values()
    (session,) = agent.sessions.values()
    assert session.client.session.instructions == "Be brief."
    updates = []
    session.client.on("session.updated", updates.append)
    for words, minute, second in (("Two?", 0, 59), ("Three?", 2, 0), ("Four?", 2, 30)):
        clock(minute, second)
        await converse(home, words, first.conversation_id)
    assert not updates
    told = [item.words for item in session.client.conversation.items if item.words != "Yes."]
    time = "Current time is {}. Today's date is 2026-11-21.".format
    assert told == [time("15:15:00"), "One?", "Two?", time("15:17:00"), "Three?", "Four?"]


async def test_another_conversation_begins_as_the_last_one_was(home, endpoint, set_up, clock):
    """So an endpoint can read instructions and tools while the first words are heard."""
    url = await endpoint(Turn(say="Yes."), after="repeat", complete=False)
    entry = await set_up(url, agent={"llm_hass_api": ["openai_realtime"]})
    clock(0)
    first = await converse(home, "One?")
    clock(1)
    (agent,) = entry.runtime_data.agents.values()
    begun = (await agent.session("another")).client.session
    known = agent.sessions[first.conversation_id].client.session
    assert (begun.instructions, begun.tools) == (known.instructions, known.tools)
    assert len(begun.tools) == 5


async def test_instructions_follow_all_but_the_time(home, endpoint, set_up, clock):
    url = await endpoint(Turn(say="Yes."), after="repeat", complete=False)
    entry = await set_up(url)
    clock(0)
    first = await converse(home, "One?")
    clock(1)
    await conversation.async_converse(
        home,
        "Two?",
        first.conversation_id,
        Context(),
        agent_id="conversation.ada",
        extra_system_prompt="The door bell rang.",
    )
    (agent,) = entry.runtime_data.agents.values()
    (session,) = agent.sessions.values()
    assert session.client.session.instructions == "Be brief.\nThe door bell rang."
    words = [item.words for item in session.client.conversation.items if item.role != "system"]
    assert words == ["One?", "Yes.", "Two?", "Yes."]


async def test_another_session_is_told_the_same(home, endpoint, set_up, clock):
    """Byte for byte: an endpoint that knows the beginning of a conversation need not read it again."""
    url = await endpoint(Turn(say="Yes."), after="repeat", complete=False)
    entry = await set_up(url)
    clock(0)
    first = await converse(home, "One?")
    clock(1)
    await converse(home, "Two?", first.conversation_id)
    (agent,) = entry.runtime_data.agents.values()
    (session,) = agent.sessions.values()
    instructions = session.client.session.instructions
    told = [item.words for item in session.client.conversation.items]
    await agent.drop(first.conversation_id)
    clock(2)
    await converse(home, "Three?", first.conversation_id)
    (session,) = agent.sessions.values()
    assert session.client.session.instructions == instructions
    time = "Current time is {}. Today's date is 2026-11-21.".format
    assert told == [time("15:15:00"), "One?", "Yes.", time("15:16:00"), "Two?", "Yes."]
    words = [item.words for item in session.client.conversation.items]
    assert words == [*told, time("15:17:00"), "Three?", "Yes."]
