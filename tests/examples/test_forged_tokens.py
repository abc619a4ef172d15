"""RFC 8725: tokens that nobody issued open no API that was built from an example."""

import json

import pytest

from authority.keys import signing_keys
from tests import patient
from tests.authority.forgeries import forgeries


@pytest.mark.compliance("RFC 8725", "3.1")
def test_api_refuses_every_forgery(api, server):
    genuine = server.token("shipments:read")
    with server.database():
        forged = forgeries(genuine, signing_keys.signer("ES256", seconds=60))
    accepted = []
    for case, token in forged.items():
        answer = patient.get(api, headers={"Authorization": f"Bearer {token}"})
        if (answer.status_code, answer.headers.get("WWW-Authenticate")) != (401, 'Bearer error="invalid_token"'):
            accepted.append((case, answer.status_code, answer.text[:200]))
    assert accepted == [], json.dumps(accepted, indent=1)
    assert patient.get(api, headers={"Authorization": f"Bearer {genuine}"}).status_code == 200
