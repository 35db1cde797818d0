import pytest
from pydantic import ValidationError

from vivavoce.gateway.loopback import is_loopback
from vivavoce.gateway.settings import GatewaySettings


class TestSources:
    def test_a_variable_beats_the_default_and_an_argument_beats_the_variable(self, monkeypatch):
        assert GatewaySettings().port == 8000
        monkeypatch.setenv("VIVAVOCE_PORT", "8100")
        assert GatewaySettings().port == 8100
        assert GatewaySettings(port=8200).port == 8200

    @pytest.mark.parametrize("name", ["allowed_origins", "allowed_hosts"])
    def test_names_are_separated_by_commas(self, monkeypatch, name):
        monkeypatch.setenv(f"VIVAVOCE_{name.upper()}", " one.example , two.example,")
        assert getattr(GatewaySettings(), name) == ("one.example", "two.example")

    @pytest.mark.parametrize(
        "wrong",
        ["voice.example", "wss://a.example/v1", "wss://*", "wss://a; script-src *", "'unsafe-inline'"],
    )
    def test_what_is_no_origin_is_refused(self, wrong):
        with pytest.raises(ValidationError, match=r"expected an origin such as wss://api\.example"):
            GatewaySettings(direct_origins=wrong)

    def test_names_can_be_given_one_by_one(self):
        assert GatewaySettings(allowed_hosts=("a", "b")).allowed_hosts == ("a", "b")

    def test_other_variables_do_not_matter(self, monkeypatch):
        monkeypatch.setenv("VIVAVOCE_OF_SOMETHING_ELSE", "1")
        GatewaySettings()


class TestBounds:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"port": -1},
            {"port": 65_536},
            {"host": ""},
            {"engine_profile": "huge"},
            {"max_sessions": 0},
            {"max_message_bytes": 10},
            {"send_timeout_seconds": 0},
        ],
    )
    def test_nonsense_is_refused(self, wrong):
        (name,) = wrong
        with pytest.raises(ValidationError, match=name):
            GatewaySettings(**wrong)

    def test_a_message_holds_an_append_of_15_mib_of_audio(self):
        base64 = 15 * 2**20 * 4 // 3
        envelope = len('{"type":"input_audio_buffer.append","audio":"","event_id":""}') + 512
        assert GatewaySettings().max_message_bytes >= base64 + envelope

    def test_they_do_not_change_once_made(self):
        with pytest.raises(ValidationError):
            GatewaySettings().port = 1


class TestLoopback:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "a.localhost."])
    def test_means_this_machine(self, host):
        assert is_loopback(host)
        assert not GatewaySettings(host=host).open_to_others

    @pytest.mark.parametrize(
        "host", ["0.0.0.0", "::", "192.168.1.5", "voice.example", "localhost.example", ""]
    )
    def test_means_others_as_well(self, host):
        assert not is_loopback(host)
