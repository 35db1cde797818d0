"""How many threads a language model computes on. Pure.

llama.cpp's threads wait for each other after every layer, so a core that is busy elsewhere holds all of them up. With
waiting that sleeps (see this package), that costs less than a core left idle: on two cores, one of them kept busy by
another process, Qwen2.5 1.5B writes 8.0 tokens a second with one thread and 7.8 with two; with both kept busy, 2.5 to
4.5 and 4.6 to 6.2; with nothing else to do, two threads are nearly twice as fast as one. On more cores one is left
for what hears and speaks meanwhile.
"""

__all__ = ["language_model_threads"]

ALL_UP_TO = 2


def language_model_threads(cores: int) -> int:
    """Return the threads for so many cores."""
    return cores if cores <= ALL_UP_TO else cores - 1
