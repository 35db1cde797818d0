from msgspec import UNSET

from vivavoce.gateway.opening import Caller
from vivavoce.gateway.policy.rules import LIMITED, Limits, Policy, Rules, ToolRules


def test_the_nearer_rules_win_field_by_field():
    policy = Policy(
        default=Rules(models=["a"], limits=Limits(sessions=2, tokens_per_day=10), locked=["voice"]),
        groups={"guests": Rules(limits=Limits(sessions=1), tools=ToolRules(serve=["weather"]))},
        keys={"kiosk": Rules(locked=[], tools=ToolRules(show=True))},
    )
    assert policy.rules(Caller("ada")) is policy.default
    guest = policy.rules(Caller("ada", group="guests"))
    assert (guest.models, guest.locked) == (["a"], ["voice"])
    assert guest.limits == Limits(sessions=1, tokens_per_day=10)
    kiosk = policy.rules(Caller("ada", key="kiosk", group="guests"))
    assert kiosk.locked == []
    assert kiosk.tools == ToolRules(serve=["weather"], show=True)


def test_who_is_in_no_group_of_the_file_has_the_common_rules():
    policy = Policy(groups={"guests": Rules(models=["x"])}, keys={"": Rules(models=["y"])})
    assert policy.rules(Caller("ada", key="k", group="other")).models is UNSET
    assert policy.rules(Caller("ada")).models is UNSET


def test_all_limits_are_listed():
    assert set(LIMITED) == set(Limits.__struct_fields__)
