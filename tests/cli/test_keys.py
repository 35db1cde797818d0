import asyncio
import os
import pty
import termios
from contextlib import aclosing

import pytest

from vivavoce.cli import keys
from vivavoce.cli.keys import SpaceBar, presses, unbuffered
from vivavoce.errors import VivaVoceError


class TestSpaceBar:
    def struck(self, *times):
        bar = SpaceBar()
        for time in times:
            bar.strike(time)
        return bar

    def test_a_tap_puts_it_down_until_the_next(self):
        assert self.struck(1.0).down
        assert self.struck(1.0).due is None
        assert not self.struck(1.0, 3.0).down
        assert self.struck(1.0, 3.0, 4.0).down

    def test_held_it_is_down_until_it_stops_repeating(self):
        held = [1.0, 1.5, 1.53, 1.56, 1.59]
        bar = self.struck(*held)
        assert bar.down
        assert bar.due == pytest.approx(1.79)
        bar.wait(1.7)
        assert bar.down
        bar.wait(1.8)
        assert not bar.down
        assert bar.due is None

    def test_after_a_tap_waiting_means_nothing(self):
        bar = self.struck(1.0)
        bar.wait(100.0)
        assert bar.down

    def test_held_twice_it_is_down_twice(self):
        bar = self.struck(1.0, 1.5, 1.55)
        bar.wait(2.0)
        bar.strike(3.0)
        assert bar.down
        assert bar.due is None


@pytest.fixture
def terminal():
    """Return the two ends of a terminal: what a person types into, and what the program reads."""
    person, program = pty.openpty()
    with os.fdopen(program, "r", closefd=True) as file:
        yield person, file
    os.close(person)


async def pressed_after(pressed, person, keys):
    """Return what is told once these keys have been struck, while it is being waited for."""
    told = asyncio.ensure_future(anext(pressed))
    await asyncio.sleep(0)  # now the terminal is unbuffered
    for key in keys:
        os.write(person, key)
    return await told


class TestTerminal:
    def test_it_is_set_back_whatever_happens(self, terminal):
        _, file = terminal
        before = termios.tcgetattr(file.fileno())
        with unbuffered(file) as descriptor:
            assert termios.tcgetattr(descriptor) != before
        assert termios.tcgetattr(file.fileno()) == before
        with pytest.raises(KeyError), unbuffered(file):
            raise KeyError
        assert termios.tcgetattr(file.fileno()) == before

    def test_a_pipe_is_none(self):
        reading, writing = os.pipe()
        with (
            os.fdopen(reading) as file,
            pytest.raises(VivaVoceError, match="talk hands-free"),
            unbuffered(file),
        ):
            pass
        os.close(writing)

    async def test_taps_are_told_and_other_keys_are_not(self, terminal, monkeypatch):
        monkeypatch.setattr(keys, "FIRST_REPEAT_SECONDS", 0)
        person, file = terminal
        async with aclosing(presses(file)) as pressed:
            assert await pressed_after(pressed, person, [b"x", b" "]) is True
            assert await pressed_after(pressed, person, [b" "]) is False

    async def test_a_key_that_is_held_is_told_to_come_up(self, terminal, monkeypatch):
        monkeypatch.setattr(keys, "NEXT_REPEAT_SECONDS", 0.01)
        person, file = terminal
        async with aclosing(presses(file)) as pressed:
            assert await pressed_after(pressed, person, [b" "]) is True
            assert await pressed_after(pressed, person, [b" "]) is False

    async def test_leaving_sets_the_terminal_back(self, terminal):
        person, file = terminal
        before = termios.tcgetattr(file.fileno())
        async with aclosing(presses(file)) as pressed:
            await pressed_after(pressed, person, [b" "])
            assert termios.tcgetattr(file.fileno()) != before
        assert termios.tcgetattr(file.fileno()) == before
