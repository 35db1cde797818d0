"""A satellite as people have it, which knows nothing of the integration: speech to speech."""

import shutil
import wave
from pathlib import Path

import pytest
from demo import make_assistant
from satellite import WyomingSatellite

from vivavoce.testing import Expect, FunctionCall, Turn

pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="needs ffmpeg, with which Home Assistant resamples"
)
QUESTION = "Turn on the kitchen light."


@pytest.fixture(scope="session")
def question():
    """Return the question as speech: PCM16 at 16 kHz."""
    with wave.open(str(Path(__file__).with_name("question.wav"))) as recording:
        assert recording.getframerate() == 16_000
        return recording.readframes(recording.getnframes())


@pytest.fixture
async def assistant(hass):
    """Make an assistant of the endpoint's agent, the preferred one while the test lasts: ``await assistant()``."""
    before = (await hass.command("assist_pipeline/pipeline/list"))["preferred_pipeline"]
    made = []

    async def make():
        made.append(await make_assistant(hass))

    yield make
    await hass.command("assist_pipeline/pipeline/set_preferred", pipeline_id=before)
    for one in made:
        await hass.command("assist_pipeline/pipeline/delete", pipeline_id=one)


async def test_the_light_goes_on_and_the_answer_is_heard(hass, endpoint, added, assistant, question):
    answer = "The kitchen light is on, and so is the kettle."
    url = await endpoint(
        Turn(hear=QUESTION, call=FunctionCall("intent__HassTurnOn", {"name": "Kitchen light"})),
        Turn(expect=Expect(output_matches="action_done"), say=answer),
    )
    await added(url)
    await assistant()
    await hass.action("light.turn_off", response=False, entity_id="light.kitchen_light")
    async with WyomingSatellite(question) as satellite:
        done = await hass.flow("wyoming", {"host": "127.0.0.1", "port": satellite.port})
        assert done["type"] == "create_entry", done
        await satellite.wait(60)
        await hass.delete(f"/api/config/config_entries/entry/{done['result']['entry_id']}")
    told = {event.type: event.data for event in satellite.answer.events}
    assert "error" not in told, told
    assert told["transcript"]["text"] == QUESTION
    assert told["synthesize"]["text"] == answer
    assert await hass.state("light.kitchen_light") == "on"
    assert satellite.answer.rate == 22_050
    assert satellite.answer.seconds > 1  # 46 characters at 15 in a second
