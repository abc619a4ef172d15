"""What people let clients do: remembered, so that they are not asked again, and taken back when they want."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from authority.authorization.request import Asked
from authority.models import Consent, DeviceRequest, Family
from authority.tokens import families, resources
from clients.models import Client, SelfRegistration
from consumers import audit
from consumers.audit import Actor, EventName
from consumers.models import User

Grant = get_grant_model()


def is_assured(asked: Asked) -> bool:
    """Say whether only the client itself can be at the redirect URI or redeem the code.

    Any program on the person's device may listen at a loopback address or take an app's scheme, so a public client
    there could be another (RFC 8252 section 8.6); and nobody of ours knows a client that registered itself (RFC 7591
    section 5). The person is then asked every time.
    """
    if asked.client.is_public and not asked.redirect_uri.startswith("https:"):
        return False
    return not SelfRegistration.objects.filter(client=asked.client.pk).exists()


def is_remembered(asked: Asked, person: User) -> bool:
    """Say whether the person need not be asked: they allowed as much before, or operators vouch for the client."""
    if not is_assured(asked):
        return False
    if asked.client.skip_consent:
        return True
    consent = Consent.objects.filter(client=asked.client, user=person).first()
    return (
        consent is not None
        and set(asked.scopes) <= set(consent.scopes)
        and set(beyond(asked)) <= set(consent.resources)
    )


def beyond(asked: Asked) -> list[str]:
    """Return the resources that are asked for besides the APIs of the scopes."""
    of_scopes = resources.audiences_of(asked.entry, asked.scopes)
    return [uri for uri in asked.resources if uri not in of_scopes]


def remember(*, asked: Asked, granted: list[str], person: User, actor: Actor) -> Consent:
    """Note what the person allowed by an authorization request."""
    return note(
        client=asked.client, person=person, asked=asked.scopes, granted=granted, resources=beyond(asked), actor=actor
    )


@transaction.atomic
def note(
    *,
    client: Client,
    person: User,
    asked: Collection[str],
    granted: Collection[str],
    resources: Collection[str] = (),
    actor: Actor,
) -> Consent:
    """Note what the person allowed the client; their latest answer about a scope counts."""
    consent, _ = Consent.objects.select_for_update().get_or_create(client=client, user=person)
    kept = [value for value in consent.scopes if value not in asked]
    before = sorted(consent.scopes)
    consent.scopes = [*kept, *granted]
    consent.resources = list(dict.fromkeys([*consent.resources, *resources]))
    consent.last_used_at = timezone.now()
    consent.save()
    if sorted(consent.scopes) != before:
        audit.record(EventName.CONSENT_GIVEN, actor=actor, target=client, detail={"scopes": list(granted)})
    return consent


@transaction.atomic
def revoke(*, consent: Consent, actor: Actor) -> None:
    """Take back what the person allowed, with every code and token that the client has for them."""
    _end_tokens(consent.user, consent.client)
    audit.record(EventName.CONSENT_REVOKED, actor=actor, target=consent.client, detail={"scopes": consent.scopes})
    consent.delete()


def _end_tokens(person: User, client: Client) -> None:
    Grant.objects.filter(user=person, application=client).delete()
    DeviceRequest.objects.filter(user=person, client=client).delete()
    families.end(Family.objects.filter(user=person, client=client))
