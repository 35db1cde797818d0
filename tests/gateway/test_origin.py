import pytest

from vivavoce.gateway.origin import Doorkeeper
from vivavoce.gateway.settings import GatewaySettings


def verdict(host, origin=None, *, listen_on="127.0.0.1", **settings):
    refusal = Doorkeeper.of(GatewaySettings(host=listen_on, **settings)).refuse(host, origin)
    return refusal and (refusal.status, refusal.code)


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1:8000",
            "127.0.0.1",
            "127.1.2.3:8000",
            "localhost:8000",
            "LOCALHOST",
            "localhost.:8000",
            "voice.localhost:8000",
            "[::1]:8000",
        ],
    )
    def test_this_machine_is_welcome(self, host):
        assert verdict(host) is None

    @pytest.mark.parametrize(
        "host",
        [
            None,
            "",
            "evil.example",
            "evil.example:8000",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "192.168.1.5:8000",
            "127.0.0.1@evil.example",
            "[::1",
            "0.0.0.0:8000",
        ],
    )
    def test_other_names_are_refused(self, host):
        assert verdict(host) == (403, "host_not_allowed")

    def test_names_in_the_settings_are_welcome(self):
        assert verdict("Voice.Home.Example:8000", allowed_hosts="voice.home.example") is None
        assert verdict("other.home.example", allowed_hosts="voice.home.example") is not None

    def test_the_address_that_it_listens_on_is_welcome(self):
        assert verdict("192.168.1.5:8000", listen_on="192.168.1.5") is None
        assert verdict("192.168.1.6:8000", listen_on="192.168.1.5") is not None

    @pytest.mark.parametrize("host", ["0.0.0.0", "::"])
    def test_listening_everywhere_welcomes_addresses_but_no_names(self, host):
        assert verdict("192.168.1.5:8000", listen_on=host) is None
        assert verdict("[fd00::5]:8000", listen_on=host) is None
        assert verdict("evil.example:8000", listen_on=host) is not None


class TestOrigin:
    def test_programs_send_none_and_pass(self):
        assert verdict("localhost:8000", None) is None

    @pytest.mark.parametrize(
        ("host", "origin"),
        [
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("localhost:8000", "http://localhost:8000"),
            ("localhost:8000", "HTTP://LocalHost:8000"),
            ("localhost", "https://localhost"),
            ("[::1]:8000", "http://[::1]:8000"),
        ],
    )
    def test_its_own_page_is_welcome(self, host, origin):
        assert verdict(host, origin) is None

    @pytest.mark.parametrize(
        "origin",
        [
            "http://evil.example",
            "https://evil.example:8000",
            "http://localhost:3000",
            "http://127.0.0.1:8000",
            "null",
            "",
            "file://",
            "chrome-extension://localhost:8000",
            "http://localhost:8000.evil.example",
            "http://evil.example/localhost:8000",
            "localhost:8000",
        ],
    )
    def test_other_pages_are_refused(self, origin):
        assert verdict("localhost:8000", origin) == (403, "origin_not_allowed")

    def test_origins_in_the_settings_are_welcome(self):
        allowed = "https://home.example:8123, http://tablet.example/"
        assert verdict("localhost:8000", "https://home.example:8123", allowed_origins=allowed) is None
        assert verdict("localhost:8000", "http://tablet.example", allowed_origins=allowed) is None
        assert verdict("localhost:8000", "https://tablet.example", allowed_origins=allowed) is not None

    def test_a_refusal_says_what_came_and_which_setting_would_change_it(self):
        refusal = Doorkeeper.of(GatewaySettings()).refuse("localhost:8000", "http://evil.example")
        assert "'http://evil.example'" in refusal.message
        assert "VIVAVOCE_ALLOWED_ORIGINS" in refusal.message
