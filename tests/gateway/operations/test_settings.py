from vivavoce.gateway import GatewaySettings


def test_the_gateway_tells_little_and_only_to_its_own():
    settings = GatewaySettings()
    assert (settings.log_level, settings.log_format, settings.metrics) == ("warning", "text", "own")


def test_a_token_is_not_shown():
    assert "hunter2" not in repr(GatewaySettings(metrics_token="hunter2"))
