import inspect

import pytest
import typer
from pydantic import SecretStr
from typer.testing import CliRunner

from vivavoce.cli.serve_options import OPTIONS, option, settle, takes_settings
from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings


class TestOptions:
    @pytest.mark.parametrize("name", OPTIONS)
    def test_each_is_a_setting_that_is_no_secret(self, name):
        annotation = GatewaySettings.model_fields[name].annotation
        assert annotation is not SecretStr
        assert SecretStr not in getattr(annotation, "__args__", ())

    def test_a_command_gets_what_was_given_and_nothing_else(self):
        seen = []
        app = typer.Typer()

        @app.command()
        @takes_settings
        def command(given):
            """Do it."""
            seen.append(given)

        result = CliRunner().invoke(app, ["--port", "0", "--insecure-open", "--upstream", "openai"])
        assert result.exit_code == 0, result.output
        assert seen == [{"port": 0, "insecure_open": True, "upstream": "openai"}]

    def test_each_is_on_the_command_line(self):
        takes = inspect.signature(takes_settings(lambda given: None)).parameters
        assert list(takes) == list(OPTIONS)

    def test_a_command_may_have_options_of_its_own(self):
        seen = []
        app = typer.Typer()

        @app.command()
        @takes_settings
        def command(given, *, loud: bool = False):
            seen.append((given, loud))

        assert CliRunner().invoke(app, ["--loud", "--port", "1"]).exit_code == 0
        assert seen == [({"port": 1}, True)]

    def test_is_called_by_both_its_names(self):
        assert option("max_sessions") == "--max-sessions (VIVAVOCE_MAX_SESSIONS)"


class TestSettle:
    def test_what_is_wrong_is_told_line_by_line(self):
        with pytest.raises(
            VivaVoceError, match=r"--port \(VIVAVOCE_PORT\): .*\n--engine \(VIVAVOCE_ENGINE\): "
        ):
            settle({"port": 70000, "engine": "mute"})

    def test_strangers_are_let_in_on_demand_only(self):
        with pytest.raises(VivaVoceError, match="--insecure-open"):
            settle({"host": "0.0.0.0"})
        assert settle({"host": "0.0.0.0", "insecure_open": True}).open_to_others
