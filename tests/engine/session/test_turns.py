import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.session.turns import MIN_SPEECH_MS, TurnDetector

STEP = 32


def detector(silence_ms=200, origin_ms=0):
    return TurnDetector(step_ms=STEP, threshold=0.5, silence_ms=silence_ms, origin_ms=origin_ms)


def changes(detector, *spans):
    """Feed spans of (steps, probability); return (kind, at_ms) of what they decided."""
    decided = [detector.step(probability) for steps, probability in spans for _ in range(steps)]
    return [(change.kind, change.at_ms) for change in decided if change is not None]


def test_a_turn():
    assert changes(detector(), (10, 0.0), (20, 0.9), (10, 0.0)) == [
        ("started", 10 * STEP),
        ("paused", 32 * STEP),
        ("stopped", 37 * STEP),
    ]


def test_a_click_is_no_speech():
    assert changes(detector(), (5, 0.0), (2, 1.0), (50, 0.0)) == []


def test_a_pause_that_ends():
    assert changes(detector(), (10, 0.9), (4, 0.0), (5, 0.9), (10, 0.0)) == [
        ("started", 0),
        ("paused", 12 * STEP),
        ("resumed", 14 * STEP),
        ("paused", 21 * STEP),
        ("stopped", 26 * STEP),
    ]


def test_a_voice_that_wavers_around_the_threshold_goes_on():
    wavering = [(1, p) for p in (0.6, 0.4, 0.45, 0.51, 0.36) * 20]
    assert changes(detector(), *wavering) == []  # never long enough above it to begin
    started = detector()
    assert changes(started, (5, 0.9), *wavering) == [("started", 0)]


def test_the_clock_starts_where_it_is_told():
    assert changes(detector(origin_ms=1000), (5, 0.9)) == [("started", 1000)]


@pytest.mark.parametrize("silence_ms", [0, 31, 60])
def test_the_shortest_silences(silence_ms):
    kinds = [kind for kind, _ in changes(detector(silence_ms), (10, 0.9), (10, 0.0))]
    assert kinds == ["started", "stopped"]


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(0, 600))
def test_whatever_is_heard_turns_begin_and_end_in_order(probabilities, silence_ms):
    heard = detector(silence_ms)
    speaking = paused = False
    last = 0
    for probability in probabilities:
        change = heard.step(probability)
        if change is None:
            continue
        match change.kind:
            case "started":
                assert not speaking
                assert heard.position_ms - change.at_ms >= MIN_SPEECH_MS
                speaking, paused = True, False
            case "paused":
                assert speaking
                assert not paused
                paused = True
            case "resumed":
                assert speaking
                assert paused
                paused = False
            case "stopped":
                assert speaking
                speaking = False
        assert change.at_ms >= last
        last = change.at_ms
        assert heard.speaking == speaking
