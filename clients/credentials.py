"""What a member of a workspace made for its clients, and may still know."""

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse

from clients.models import ClientSecret, InitialAccessToken, RegistrationAccessToken, TrustRule
from consumers.credentials import Credential
from consumers.models import Membership


def client_credentials(membership: Membership) -> Iterable[Credential]:
    """Yield the secrets, tokens and rules that the member made and that still work; see consumers.credentials."""
    slug, made = membership.consumer.slug, Q(created_by=membership.user)
    of_clients = made & Q(client__consumer=membership.consumer)
    for secret in ClientSecret.objects.live().filter(of_clients).select_related("client"):
        yield Credential(
            kind="client secret",
            name=f"{secret} of {secret.client}",
            created_at=secret.created_at,
            expires_at=secret.expires_at,
            url=reverse("clients:secrets", args=[slug, secret.client.client_id]),
        )
    for token in InitialAccessToken.objects.live().filter(made, consumer=membership.consumer):
        yield Credential(
            kind="initial access token",
            name=str(token),
            created_at=token.created_at,
            expires_at=token.expires_at,
            url=reverse("clients:registration", args=[slug]),
        )
    for rule in TrustRule.objects.filter(of_clients).select_related("client"):
        yield Credential(
            kind="trust rule",
            name=f"{rule} of {rule.client}",
            created_at=rule.created_at,
            expires_at=None,
            url=reverse("clients:authentication", args=[slug, rule.client.client_id]),
        )
    for own in RegistrationAccessToken.objects.live().filter(of_clients).select_related("client"):
        yield Credential(
            kind="registration access token",
            name=f"{own} of {own.client}",
            created_at=own.created_at,
            expires_at=own.expires_at,
            ends=True,
            url=reverse("clients:detail", args=[slug, own.client.client_id]),
        )
