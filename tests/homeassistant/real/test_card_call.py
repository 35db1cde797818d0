"""A card whose speech goes straight to a gateway, over WebRTC, while Home Assistant holds the session."""

import asyncio

import pytest
from conftest import QUESTION

from vivavoce.testing import Expect, FunctionCall, Turn

ANSWER = "The kitchen light is on, and so is the kettle."
TURNS = (
    Turn(hear=QUESTION, call=FunctionCall("intent__HassTurnOn", {"name": "Kitchen light"})),
    Turn(expect=Expect(output_matches="action_done"), say=ANSWER),
)
LIGHT = "{{ is_state('light.kitchen_light', 'on') }}"
OUT_OF_REACH = r"""() => {
    const real = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function ({type, sdp}) {
        return real.call(this, {type, sdp: sdp.replace(/a=candidate.*\r\n/g, '')});
    };
}"""
"""The page is told no address of the endpoint."""


@pytest.fixture
async def talking(hass, gateway, added, card, asking):
    """Talk with the kitchen, hands-free, on such a page; return the gateway and the card."""

    async def begin(*, before="() => {}", mode="hands-free", **options):
        running, url = await gateway(
            *TURNS, after="repeat", complete=False
        )  # it is asked until the page is closed
        await added(url)
        await hass.action("light.turn_off", response=False, entity_id="light.kitchen_light")
        shown = await card(microphone=asking, mode=mode, **options)
        await shown.page.evaluate(before)
        await shown.get_by_role("button", name="Start").click()
        return running, shown

    return begin


async def answered(hass, shown):
    """Wait until the house has done what was asked, and the answer is read and heard."""
    await hass.until(LIGHT, seconds=90)
    await shown.locator("voice-transcript").filter(has_text=ANSWER).wait_for()
    element = await shown.element_handle()
    await shown.page.wait_for_function("card => card.levels().output > 0.01", arg=element, polling=50)


async def test_the_kitchen_light_is_turned_on_over_a_call(hass, talking):
    running, shown = await talking()
    await answered(hass, shown)
    assert len(running.calls) == 1
    assert await shown.locator("voice-transcript").filter(has_text=QUESTION).count()
    await shown.get_by_role("button", name="End", exact=True).click()
    async with asyncio.timeout(30):
        while len(running.calls):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.05)


async def test_the_button_is_held_over_a_call(hass, talking):
    running, shown = await talking(mode="hold")
    button = shown.get_by_role("button", name="Hold to talk")
    await button.hover()
    await shown.page.mouse.down()
    element = await shown.element_handle()
    await shown.page.wait_for_function("card => card.levels().input > 0.01", arg=element, polling=50)
    await shown.page.mouse.up()
    await answered(hass, shown)
    assert len(running.calls) == 1


async def test_a_gateway_out_of_reach_is_spoken_to_through_home_assistant(hass, talking):
    running, shown = await talking(before=OUT_OF_REACH)
    await answered(hass, shown)
    assert len(running.calls) == 0


async def test_a_call_that_is_hung_up_is_not_missed(hass, talking):
    running, shown = await talking()
    await answered(hass, shown)
    (held,) = running.calls.all
    held.call.end(1000, "hung up")
    await hass.action("light.turn_off", response=False, entity_id="light.kitchen_light")
    await answered(hass, shown)
    assert len(running.calls) == 0


async def test_speech_goes_through_home_assistant_where_that_is_wanted(hass, talking):
    running, shown = await talking(direct_audio=False)
    await answered(hass, shown)
    assert len(running.calls) == 0
