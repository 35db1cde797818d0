import pytest

from vivavoce.gateway.credentials import presented_key


@pytest.mark.parametrize(
    ("authorization", "offered", "key"),
    [
        (None, [], None),
        ("Bearer sk-1", [], "sk-1"),
        ("  bearer   sk-1 ", [], "sk-1"),
        ("Bearer", [], ""),
        ("Basic c2s=", [], None),
        (None, ["realtime", "openai-insecure-api-key.ek_1", "other"], "ek_1"),
        (None, ["realtime"], None),
        ("Basic c2s=", ["openai-insecure-api-key.ek_1"], "ek_1"),
        ("Bearer sk-1", ["openai-insecure-api-key.ek_1"], "sk-1"),
        ("Bearer null", [], None),
        (None, ["realtime", "openai-insecure-api-key.null", "openai-beta.realtime-v1"], None),
        (None, ["openai-insecure-api-key.undefined"], None),
    ],
)
def test_the_header_comes_before_the_subprotocols(authorization, offered, key):
    assert presented_key(authorization, offered) == key
