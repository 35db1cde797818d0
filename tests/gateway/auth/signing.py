"""Who signs tokens: RSA keys and the JWKS that tells of them."""

import json
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

SECRET = "0123456789abcdef" * 2
CLAIMS = {"sub": "ada", "exp": 2000, "iss": "https://issuer.example", "aud": "vivavoce"}


@cache
def private_key(name, bits=2048):
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def jwk(name, **more):
    """Return the public half of a key as a JWKS has it."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key()))
    return {**public, "kid": name, "use": "sig", "alg": "RS256", **more}


def jwks(*names):
    return {"keys": [jwk(name) for name in names]}


def signed(key="one", *, headers=None, **claims):
    """Sign claims with the private key of this name; a claim of None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(claims, private_key(key), "RS256", headers={"kid": key, **(headers or {})})


def sealed(secret=SECRET, algorithm="HS256", **claims):
    """Sign claims with a secret."""
    claims = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm)
