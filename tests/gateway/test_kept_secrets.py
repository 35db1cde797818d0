from vivavoce.gateway.client_secrets import ClientSecrets, Granted
from vivavoce.gateway.kept_secrets import KeptHere
from vivavoce.protocol.session_params import RealtimeSessionParams


async def test_keys_of_this_process():
    keys = KeptHere(ClientSecrets(1))
    granted = Granted(RealtimeSessionParams(), single_use=True)
    issued = await keys.issue(granted, seconds=60)
    assert 0 < await keys.issue(granted, seconds=60) <= 60
    assert await keys.find(issued.value) == granted
    assert [await keys.spend(issued.value) for _ in range(2)] == [True, False]
    assert await keys.find(issued.value) is None
