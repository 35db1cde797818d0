from vivavoce.engine.weights import progress as module
from vivavoce.engine.weights.progress import Meter, Progress


def heard(monkeypatch, step=10):
    monkeypatch.setattr(module, "STEP", step)
    told = []
    return told, Meter("tiny", 100, told.append)


def test_tells_what_is_fetched_and_how_far_the_whole_set_is(monkeypatch):
    told, meter = heard(monkeypatch)
    meter.set("words.txt", 20, "the cache")
    meter.set("model.bin", 30, "the model hub")
    assert told == [
        Progress("tiny", "words.txt", 20, 100, "the cache"),
        Progress("tiny", "model.bin", 50, 100, "the model hub"),
    ]


def test_small_steps_are_not_told_but_the_last_is(monkeypatch):
    told, meter = heard(monkeypatch)
    for done in range(101):
        meter.set("model.bin", done, "packages")
    assert [one.done for one in told] == list(range(0, 101, 10))
    told.clear()
    _, meter = heard(monkeypatch, step=1000)
    monkeypatch.setattr(meter, "_tell", told.append)
    for done in (5, 99, 100):
        meter.set("model.bin", done, "packages")
    assert [one.done for one in told] == [5, 100]


def test_never_runs_backwards(monkeypatch):
    told, meter = heard(monkeypatch)
    for done in (60, 0, 30, 80):  # the second source begins anew
        meter.set("model.bin", done, "packages")
    assert [one.done for one in told] == [60, 80]


def test_never_promises_more_than_all(monkeypatch):
    told, meter = heard(monkeypatch)
    meter.set("model.bin", 140, "packages")
    assert told[-1].done == 100


def test_nobody_needs_to_listen():
    Meter("tiny", 100, None).set("model.bin", 100, "packages")
