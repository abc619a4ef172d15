"""Twenty requests at once with one assertion, over real connections: one of them counts."""

import pytest

from authority.models import SpentIdentifier
from tests.authority.signing import KEY, Signing
from tests.drills.test_token_races import THREADS, at_once
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ConsumerFactory, ScopeFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.compliance("RFC 7523", "3")
def test_one_assertion_counts_once(settings):
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
