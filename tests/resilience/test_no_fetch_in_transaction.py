"""While another server is asked, no transaction is open: whoever answers slowly would hold what it has locked."""

import pytest
from django.db import connection

from tests import patient
from tests.authority.signing import KEY
from tests.publisher import answer, publishing
from tests.signing import TYPE, own_claims


@pytest.mark.parametrize(
    "grant",
    [
        {"grant_type": "client_credentials"},
        {"grant_type": "refresh_token", "refresh_token": "cdr_unknown"},
        {"grant_type": "authorization_code", "code": "unknown", "code_verifier": "x" * 43},
    ],
    ids=lambda grant: grant["grant_type"],
)
def test_a_client_s_keys_are_fetched_outside_of_any_transaction(server, settings, grant):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    seen = []

    def look(link):
        with server.database(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'"
            )
            seen.append(cursor.fetchall())
        link.sendall(answer(b'{"keys": []}'))

    with publishing() as publisher:
        metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": publisher.publish("/keys", look)}
        client_id, _ = server.register("service", scope=("shipments:read",), **metadata)
        assertion = KEY.sign(own_claims(client_id, server.demo["issuer"]))
        form = {**grant, "client_assertion_type": TYPE, "client_assertion": assertion}
        refused = patient.post(f"{server.url}/oauth2/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert seen
    assert not any(seen)
