import base64
import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from tests.gateway.auth.signing import CLAIMS, SECRET, jwk, jwks, private_key, sealed, signed
from vivavoce.gateway.auth.tokens import Rejected, Rules, UnknownSigner, looks_like_token, public_keys, verify
from vivavoce.gateway.opening import Caller

RULES = Rules(issuer="https://issuer.example", audience="vivavoce")
KEYS = public_keys(jwks("one", "two"))


def check(token, *, rules=RULES, secret=None, keys=KEYS, now=1000):
    return verify(token, rules, secret=secret, keys=keys, now=now)


def unsigned(header, claims, signature=b""):
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


class TestWhom:
    @pytest.mark.parametrize("key", ["one", "two"])
    def test_one_that_a_key_signed(self, key):
        assert check(signed(key)) == Caller("ada", key="jwt")

    def test_one_that_a_secret_signed(self):
        assert check(sealed(), secret=SECRET, keys={}) == Caller("ada", key="jwt")

    @pytest.mark.parametrize(
        ("claims", "caller"),
        [
            ({"group": "staff"}, Caller("ada", key="jwt", group="staff")),
            ({"group": ["staff", "ops"]}, Caller("ada", key="jwt", group="staff", admin=True)),
            ({"group": []}, Caller("ada", key="jwt")),
            ({"sub": "auth0|1"}, Caller("auth0|1", key="jwt")),
            ({"sub": "shop/ada"}, Caller("shop%2Fada", key="jwt")),
            ({"aud": ["other", "vivavoce"]}, Caller("ada", key="jwt")),
        ],
    )
    def test_claims_become_a_caller(self, claims, caller):
        assert check(signed(**claims), rules=Rules(RULES.issuer, RULES.audience, admin_group="ops")) == caller

    def test_other_claims_may_be_named(self):
        rules = Rules(RULES.issuer, RULES.audience, user_claim="email", group_claim="role")
        caller = check(signed(email="ada@example.org", role="guest"), rules=rules)
        assert caller == Caller("ada@example.org", key="jwt", group="guest")

    def test_the_only_key_needs_no_id(self):
        token = jwt.encode(CLAIMS, private_key("one"), "RS256")
        assert check(token, keys=public_keys(jwks("one"))).user == "ada"
        with pytest.raises(UnknownSigner):
            check(token)


class TestRejected:
    @pytest.mark.parametrize(
        ("claims", "says"),
        [
            ({"exp": None}, "no claim 'exp'"),
            ({"exp": 1000}, "has expired"),
            ({"exp": 999}, "has expired"),
            ({"exp": True}, "is no time"),
            ({"exp": "2000"}, "is no time"),
            ({"nbf": 1001}, "does not hold yet"),
            ({"iss": "https://evil.example"}, "another issuer"),
            ({"iss": None}, "no claim 'iss'"),
            ({"aud": "other"}, "another audience"),
            ({"aud": None}, "no claim 'aud'"),
            ({"sub": None}, "no claim 'sub'"),
            ({"sub": ""}, "names no user"),
            ({"group": 7}, "names no group"),
            ({"group": ["a", 7]}, "names no group"),
        ],
    )
    def test_claims_that_are_missing_or_wrong(self, claims, says):
        with pytest.raises(Rejected, match=says):
            check(signed(**claims))

    def test_a_clock_may_be_off_by_a_little(self):
        rules = Rules(RULES.issuer, RULES.audience, leeway=30)
        assert check(signed(exp=971, nbf=1030), rules=rules).user == "ada"
        for wrong in ({"exp": 970}, {"nbf": 1031}):
            with pytest.raises(Rejected):
                check(signed(**wrong), rules=rules)

    def test_a_key_that_is_not_known(self):
        with pytest.raises(UnknownSigner):
            check(signed("three"))
        with pytest.raises(UnknownSigner):
            check(signed("one"), keys={})

    def test_a_signature_of_another(self):
        header, claims, _ = signed("one").split(".")
        _, _, signature = signed("two").split(".")
        with pytest.raises(Rejected, match="signature"):
            check(f"{header}.{claims}.{signature}")

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS384", "RS512", "ES256", 7, None])
    def test_algorithms_that_nobody_asked_for(self, algorithm):
        with pytest.raises(Rejected):
            check(unsigned({"alg": algorithm, "kid": "one"}, CLAIMS), secret=SECRET)

    def test_a_public_key_is_no_secret(self):
        """The old confusion: HS256, with the public key, which everybody has, for a secret."""
        public = private_key("one").public_key()
        encoded = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        head = unsigned({"alg": "HS256", "kid": "one"}, CLAIMS).rpartition(".")[0]
        digest = hmac.new(public.public_bytes(*encoded), head.encode(), hashlib.sha256).digest()
        token = f"{head}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        with pytest.raises(Rejected, match="algorithm"):
            check(token)
        with pytest.raises(Rejected, match="signature"):
            check(token, secret=SECRET)

    def test_a_key_that_the_token_brings_along(self):
        headers = {"jwk": jwk("three"), "kid": "three", "jku": "https://evil.example/jwks"}
        with pytest.raises(UnknownSigner):
            check(signed("three", headers=headers))

    @pytest.mark.parametrize("token", ["", "a.b.c", "ey.ey.ey", "..", "eyJ9..", "ey\ud800.a.b", "a" * 10_000])
    def test_what_is_no_token(self, token):
        with pytest.raises(Rejected):
            check(token)

    def test_nothing_of_the_token_is_repeated(self):
        token = signed(sub=None)
        with pytest.raises(Rejected) as caught:
            check(token)
        assert token not in str(caught.value)
        assert caught.value.__cause__ is None


class TestJwks:
    @pytest.mark.parametrize(
        "entry",
        [
            {"use": "enc"},
            {"alg": "RS512"},
            {"kty": "EC"},
            {"n": "!"},
            {"n": "AQAB"},
            {"d": "AQAB"},
        ],
    )
    def test_keys_for_something_else_are_left_out(self, entry):
        assert set(public_keys({"keys": [jwk("one", **entry), jwk("two"), 7]})) == {"two"}
        with pytest.raises(Rejected, match="Expected a JWKS"):
            public_keys({"keys": [jwk("one", **entry)]})

    @pytest.mark.parametrize("jwks", [None, [], {}, {"keys": []}, "keys"])
    def test_what_is_none(self, jwks):
        with pytest.raises(Rejected, match="Expected a JWKS"):
            public_keys(jwks)


@pytest.mark.parametrize(
    ("key", "expected"), [("ey.a.b", True), ("vv_a.b.c", False), ("ey.a", False), ("null", False)]
)
def test_tokens_are_told_from_keys(key, expected):
    assert looks_like_token(key) is expected
