from vivavoce.gateway.digests import digest as digest_of
from vivavoce.gateway.digests import sealing_key
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.resume.tokens import Ticket, Tokens


def test_a_token_stands_for_its_session_until_there_is_another():
    tokens, ticket = Tokens(), Ticket(Caller("ann"), "session")
    first = tokens.issue(ticket)
    assert tokens.find(first) is ticket
    second = tokens.issue(ticket)
    assert first != second
    assert tokens.find(first) is None
    assert tokens.find(second) is ticket
    assert len(tokens) == 1
    tokens.forget(ticket)
    tokens.forget(ticket)
    assert tokens.find(second) is None


def test_a_token_cannot_be_guessed_nor_read_back():
    tokens, ticket = Tokens(), Ticket(Caller("ann"), "session")
    token = tokens.issue(ticket)
    assert len(token) == 32
    assert token.encode() not in repr(vars(tokens)).encode()
    for wrong in ("", token[:-1], token + "x", "\udc80"):
        assert tokens.find(wrong) is None


def test_another_process_asks_by_the_digest_and_only_the_token_opens_what_is_sealed():
    tokens, ticket = Tokens(), Ticket(Caller("ann"), "session")
    first = tokens.issue(ticket)
    digest, key = ticket.digest, ticket.key
    assert tokens.find_digest(digest) is ticket
    assert (digest, key) == (digest_of(first), sealing_key(first))
    tokens.issue(ticket)
    assert tokens.find_digest(digest) is None
    assert ticket.key != key
    assert repr(ticket.key) not in repr(ticket)
