import hashlib

from vivavoce.gateway.digests import digest, sealing_key


def test_a_secret_is_found_by_one_and_sealed_with_another():
    assert digest("a") == hashlib.sha256(b"a").digest()
    assert len(sealing_key("a")) == 32
    assert len({digest("a"), sealing_key("a"), digest("b"), sealing_key("b")}) == 4


def test_what_is_no_text_is_a_secret_too():
    assert digest("\udc80") != digest("?")
