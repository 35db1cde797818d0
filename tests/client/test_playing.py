import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.playing import Playing


def test_nothing_is_heard_before_it_is_given():
    playing = Playing()
    assert playing.take(100).size == 0
    playing.add(np.arange(10, dtype=np.int16))
    assert playing.take(4).tolist() == [0, 1, 2, 3]
    assert playing.take(3).size == 0


@given(
    st.lists(
        st.one_of(
            st.integers(0, 50).map(lambda n: ("add", n)), st.integers(0, 300).map(lambda n: ("heard", n))
        )
    )
)
def test_what_is_heard_comes_out_once_and_in_order(steps):
    playing, given_, out, most = Playing(), 0, [], 0
    for what, number in steps:
        if what == "add":
            playing.add(np.arange(given_, given_ + number, dtype=np.int16))
            given_ += number
        else:
            most = max(most, min(number, given_))
            out += playing.take(number).tolist()
            assert out == list(range(most))
