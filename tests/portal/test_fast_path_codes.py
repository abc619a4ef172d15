"""Codes and refresh tokens on the fast path: the same answers and rows as on the slow path, whatever is sent."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from oauth2_provider.models import get_grant_model

from authority.keys import signing_keys
from authority.models import OpaqueToken, RefreshToken, TokenFamily
from clients.models import Client
from clients.vocabulary import GrantType
from consumers.models import Membership, User
from tests.authority.conftest import basic, flow, web  # noqa: F401  # fixtures
from tests.generated import examples
from tests.portal.test_fast_path import ask, comparable, fast, slow  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db
Grant = get_grant_model()
NOW = datetime.now(UTC)
moments = st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)])
grants = ["authorization_code", "refresh_token"]
CLIENT = {
    "grant_types": st.sampled_from([grants, grants, grants[:1], [GrantType.DEVICE_CODE.value]]),
    "token_endpoint_auth_method": st.sampled_from(["client_secret_post", "none"]),
    "access_token_strategy": st.just("opaque"),
    "dpop_bound_access_tokens": st.just(True),
    "require_resource": st.just(True),
    "refresh_token_grace": st.just(30),
    "scopes": st.sampled_from([["openid"], ["shipments:read"], []]),
    "id_token_signed_response_alg": st.sampled_from(["ES256", "EdDSA"]),
    "lifespans": st.just({"refresh_token_grant_access_token_lifespan": 60}),
    "disabled_at": moments,
    "tokens_valid_after": moments,
}
FAMILY = {
    "ended_at": st.just(NOW),
    "generation": st.integers(0, 2),
    "rotated_at": moments,
    "grace_uses": st.sampled_from([0, 5]),
    "dpop_jkt": st.just("x" * 43),
    "as_member": st.booleans(),
    "began_at": st.just(NOW - timedelta(days=400)),
}
SENT = {
    "code": st.sampled_from(["", "another"]),
    "refresh_token": st.sampled_from(["", "another"]),
    "redirect_uri": st.sampled_from(["", "https://evil.example/"]),
    "code_verifier": st.sampled_from(["", "x" * 50]),
    "grant_type": st.sampled_from(["", "authorization_code", "refresh_token"]),
    "scope": st.sampled_from(["openid", "shipments:read", "shipments:write", "x"]),
    "client_id": st.just("cl_other"),
    "resource": st.just("https://api.example.com/shipments"),
}


def few(kinds):
    """Mostly nothing, or one or two of these."""
    return st.just({}) | st.lists(
        st.sampled_from(sorted(kinds)).flatmap(lambda name: st.tuples(st.just(name), kinds[name])), max_size=2
    ).map(dict)


def rows():
    """Return what the database holds of people's tokens, but for times and what is random."""
    return (
        list(
            TokenFamily.objects.order_by("pk").values_list(
                "pk", "generation", "grace_uses", "ended_at", "dpop_jkt", "scopes"
            )
        ),
        sorted(RefreshToken.objects.values_list("family", "generation")),
        list(Grant.objects.values_list("pk")),
        OpaqueToken.objects.count(),
    )


@pytest.fixture
def spend(flow, fast, slow):  # noqa: F811
    """Spend the same both ways, and undo it; return whether the fast path took it."""
    given = flow.tokens()["refresh_token"]
    known = {"code": flow.code(), "redirect_uri": flow.request["redirect_uri"], "code_verifier": flow.verifier}
    client = flow.program.client
    authorization = basic(client.client_id, flow.program.secret)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # which the browser has put back
    for algorithm in ("ES256", "EdDSA"):
        signing_keys.ensure_active_key(algorithm)

    def by(handler, form):
        with transaction.atomic():
            answer = ask(handler, form, authorization=authorization)
            left = rows()
            transaction.set_rollback(True)
        return answer, left

    def spend(grant, sent, of_client, of_family, of_person):
        form = {"grant_type": grant} | (known if grant == "authorization_code" else {"refresh_token": given}) | sent
        with transaction.atomic():
            Client.objects.filter(pk=client.pk).update(**of_client)
            if of_family:
                TokenFamily.objects.update(**of_family)
            User.objects.update(is_active=of_person != "inactive")
            if of_person == "no member":
                Membership.objects.all().delete()
            before = rows()
            one, left = by(fast, form)
            if one is None:
                assert left == before
            else:
                other, left_by_the_other = by(slow, form)
                assert comparable(one) == comparable(other), (form, of_client, of_family)
                assert one[0] == 200
                assert left == left_by_the_other != before
            transaction.set_rollback(True)
        return one is not None

    return spend


def test_hundreds_of_codes_and_refresh_tokens_are_redeemed_alike_on_both_paths(spend, caplog):
    taken = []

    @hypothesis_settings(max_examples=examples(250), suppress_health_check=list(HealthCheck))
    @given(
        grant=st.sampled_from(grants),
        sent=few(SENT),
        of_client=few(CLIENT),
        of_family=few(FAMILY),
        of_person=st.sampled_from(["", "", "", "inactive", "no member"]),
    )
    def run(**request):
        taken.append(spend(**request))

    run()
    assert "the fast path failed" not in caplog.text
    assert 50 < sum(taken) < len(taken)


@pytest.mark.parametrize("grant", grants)
def test_the_fast_path_takes_a_plain_request(spend, grant):
    assert spend(grant, {}, {}, {}, "")


def test_a_reused_refresh_token_revokes_its_family_on_the_slow_path(flow, fast):  # noqa: F811
    spent = flow.tokens()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": spent}
    authorization = basic(flow.program.client.client_id, flow.program.secret)
    assert ask(fast, form, authorization=authorization)[0] == 200
    assert ask(fast, form, authorization=authorization) is None
    assert TokenFamily.objects.get().ended_at is None  # nobody answered yet
    assert flow.refresh(spent).status_code == 400
    assert TokenFamily.objects.get().ended_at is not None
