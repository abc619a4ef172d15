"""Twenty requests at once with one assertion, over real connections: one of them counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from authority.models import SpentIdentifier
from tests import patient
from tests.authority.signing import KEY, Signing
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ConsumerFactory, ScopeFactory
from tests.resilience.conftest import another
from tests.resilience.test_token_races import THREADS, at_once
from tests.signing import TYPE, own_claims


@pytest.mark.django_db(transaction=True)
@pytest.mark.compliance("RFC 7523", "3")
def test_one_assertion_counts_once(settings):
    settings.FAILURES_PER_MINUTE = 0  # replays fail too, and here they are many
    consumer = ConsumerFactory()
    AccessFactory(consumer=consumer, scope=ScopeFactory(api=ApiFactory()))
    client = ClientFactory(consumer=consumer, token_endpoint_auth_method="private_key_jwt", client_jwks=KEY.jwks)
    signing = Signing(client, KEY, settings.ISSUER)
    signing.token()  # makes the signing key
    for _ in range(5):
        SpentIdentifier.objects.all().delete()
        assertion = signing.assertion()
        answers = at_once([lambda assertion=assertion: signing.token(assertion)] * THREADS)
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * (THREADS - 1)
        assert SpentIdentifier.objects.count() == 1


@pytest.mark.compliance("RFC 7523", "3")
def test_assertion_counts_once_on_two_servers_and_after_a_restart(server):
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEY.jwks, "scope": ("shipments:read",)}
    client_id, _ = server.register("service", **metadata)
    assertion = KEY.sign(own_claims(client_id, server.demo["issuer"]))

    def ask(origin):
        form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion}
        return patient.post(f"{origin}/oauth2/token", data=form).status_code

    with another(server, workers=1) as other, ThreadPoolExecutor(THREADS) as pool:
        assert sorted(pool.map(ask, [server.url, other] * (THREADS // 2))) == [200] + [401] * (THREADS - 1)
    with another(server, workers=1) as other:
        assert ask(other) == 401
        assertion = KEY.sign(own_claims(client_id, server.demo["issuer"]))
        assert ask(other) == 200  # where a new one counts
