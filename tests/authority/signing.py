"""A client that proves itself by assertions."""

from tests.authority.conftest import Program
from tests.signing import TYPE, KeyPair, own_claims

KEY = KeyPair("ES256")


class Signing(Program):
    """A client that signs assertions; `assertion(exp=None)` makes one that differs."""

    def __init__(self, client, key, issuer):
        super().__init__(client)
        self.key = key
        self.issuer = issuer

    def assertion(self, headers=None, **claims):
        return self.key.sign(own_claims(self.client.client_id, self.issuer, **claims), **(headers or {}))

    def proof(self, assertion=None):
        return {"client_assertion_type": TYPE, "client_assertion": assertion or self.assertion()}

    def token(self, assertion=None, **parameters):
        return super().token(**self.proof(assertion) | parameters)


def register(signing, keys, **fields):
    signing.key = keys
    for name, value in ({"client_jwks": keys.jwks} | fields).items():
        setattr(signing.client, name, value)
    signing.client.save()
    return signing


def refused(answer, error="invalid_client"):
    assert (answer.status_code, answer.json()["error"]) == (401 if error == "invalid_client" else 400, error)
    assert answer["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer) == (error == "invalid_client")
    return answer.json()["error_description"]
