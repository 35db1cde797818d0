import pytest
from pydantic import SecretStr

from vivavoce.gateway.auth.known import WellKnownSecret, is_well_known, refuse_well_known


@pytest.mark.parametrize(
    "value",
    [
        "changeme", "ChangeMe", "change-me", "secret", "your_openai_api_key_here", "your-api-key", "<your key>",
        "sk-xxxx", "xxxxxxxx", "...", "insert_key_here", "password", " secret ", '"secret"', "YOUR_SECRET_KEY",
        "my-secret-key", "replace_me", "example", "sk_...", "{{token}}",
    ],
)  # fmt: skip
def test_placeholders_are_known(value):
    assert is_well_known(value)


@pytest.mark.parametrize(
    "value", ["sk-proj-Ab3dE6", "k8Jq-2bN_x7", "correct horse battery staple", "yours", "secretary-7731"]
)
def test_others_are_not(value):
    assert not is_well_known(value)


def test_the_message_names_the_variable_and_not_the_value():
    with pytest.raises(WellKnownSecret, match=r"^VIVAVOCE_TOKEN: ") as caught:
        refuse_well_known([("port", 8000), ("token", SecretStr("change-me"))], {})
    assert "change-me" not in str(caught.value)
    with pytest.raises(WellKnownSecret, match=r"^OPENAI_API_KEY: "):
        refuse_well_known([], {"OPENAI_API_KEY": "your_openai_api_key_here"})


def test_what_is_not_set_is_not_judged():
    refuse_well_known([("token", None), ("jwt_secret", SecretStr("")), ("script", "secret")], {})
