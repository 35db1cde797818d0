import pytest

from vivavoce.engine.models.threads import language_model_threads


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (3, 2), (4, 3), (16, 15)])
def test_where_there_are_many_cores_one_is_left(cores, threads):
    assert language_model_threads(cores) == threads
