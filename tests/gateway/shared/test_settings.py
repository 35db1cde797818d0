import pytest
from pydantic import ValidationError

from vivavoce.gateway.shared.settings import SharedSettings


def test_are_bounded():
    assert SharedSettings().snapshot_bytes == 4 * 2**20
    for wrong in ({"snapshot_seconds": 0}, {"snapshot_bytes": 100}):
        with pytest.raises(ValidationError):
            SharedSettings(**wrong)
