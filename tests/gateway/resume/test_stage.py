import json

from vivavoce.gateway.passage import Passage
from vivavoce.gateway.resume.stage import TellToken


def test_the_first_session_created_tells_the_token():
    passage = Passage([TellToken("secret", 30)])
    created = b'{"type":"session.created","session":{"id":"sess_1"}}'
    (told,) = passage.receive(created, 0)
    assert json.loads(told.data) == {
        "type": "session.created",
        "session": {"id": "sess_1"},
        "resume": {"token": "secret", "seconds": 30},
    }
    (again,) = passage.receive(created, 0)
    assert again.data == created
