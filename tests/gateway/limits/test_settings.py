from vivavoce.gateway.settings import GatewaySettings


def test_an_address_with_a_password_is_not_shown():
    settings = GatewaySettings(redis_url="redis://:password-of-mine@redis.example")
    assert "of-mine" not in repr(settings)
    assert GatewaySettings().redis_url is None
