"""Consents: what people allow clients to do, recorded so that they are not asked again, and revoked by them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from authority.authorization.request import AuthorizationRequest
from authority.events import AuthorityEvent
from authority.models import Consent, DeviceRequest, TokenFamily
from authority.tokens import families, resources
from clients.claim_sources import ROLES
from clients.models import Api, ApiRole, Client, Scope, SelfRegistration
from consumers import audit
from consumers.audit import Actor
from consumers.models import Consumer, User
from core import clock

Grant = get_grant_model()
OF_ROLES = "Your roles there"  # where the API's claims say it in no other words


def may_be_remembered(auth_request: AuthorizationRequest) -> bool:
    """Return whether a consent may be remembered: only the client itself can receive or redeem the code.

    Any program on the person's device may listen at a loopback address or take an app's scheme, so a public client
    there could be another (RFC 8252 section 8.6); and nobody has verified a client that registered itself (RFC 7591
    section 5). The person is then asked every time.
    """
    if auth_request.client.is_public and not auth_request.redirect_uri.startswith("https:"):
        return False
    return not SelfRegistration.objects.filter(client=auth_request.client.pk).exists()


def is_remembered(auth_request: AuthorizationRequest, person: User) -> bool:
    """Return whether the person need not be asked: they consented before, or operators skip consent for the client."""
    if not may_be_remembered(auth_request):
        return False
    if auth_request.client.skip_consent:
        return True
    consent = Consent.objects.filter(client=auth_request.client, user=person).first()
    return (
        consent is not None
        and (consent.remembered_until is None or clock.now() < consent.remembered_until)
        and set(auth_request.scopes) <= set(consent.scopes)
        and set(extra_resources(auth_request)) <= set(consent.resources)
        and _keys(learned_claims(auth_request.scopes)) <= set(consent.told or ())
    )


@dataclass(frozen=True, slots=True)
class LearnedClaims:
    """What an API learns of the person by its access tokens, in their words."""

    api: Api
    texts: list[str]

    @property
    def title(self) -> str:
        return f"Tell {self.api} about you"

    @property
    def sentence(self) -> str:
        first, *others = self.texts
        return ", ".join([first, *(text.replace("Your ", "your ", 1) for text in others)]) + "."


def learned_claims(scopes: Collection[str]) -> list[LearnedClaims]:
    """Return what the APIs of the scopes learn of a person besides the scopes themselves."""
    apis = Api.objects.filter(Exists(Scope.objects.filter(api=OuterRef("pk"), value__in=scopes)))
    found = []
    for api in apis.annotate(has_roles=Exists(ApiRole.objects.filter(api=OuterRef("pk")))).prefetch_related("claims"):
        told = {claim.name: claim.consent for claim in api.claims.all()}
        if api.has_roles:  # type: ignore[attr-defined]  # the annotation
            told = {ROLES: OF_ROLES} | told
        if texts := list(dict.fromkeys(filter(None, told.values()))):
            found.append(LearnedClaims(api, texts))
    return found


def _keys(learned: Collection[LearnedClaims]) -> set[str]:
    """Return what was told as it is recorded. Told in other words, it is the same only if these are."""
    return {f"{each.api.pk} {text}" for each in learned for text in each.texts}


def extra_resources(auth_request: AuthorizationRequest) -> list[str]:
    """Return the requested resources besides the APIs of the scopes."""
    of_scopes = resources.audiences_of(auth_request.entry, auth_request.scopes)
    return [uri for uri in auth_request.resources if uri not in of_scopes]


def record_for_request(
    *,
    auth_request: AuthorizationRequest,
    granted: list[str],
    person: User,
    actor: Actor,
    remembered_until: datetime | None = None,
) -> Consent:
    """Record what the person allowed by an authorization request, and until when they need not be asked again."""
    return record(
        client=auth_request.client,
        person=person,
        requested=auth_request.scopes,
        granted=granted,
        resources=extra_resources(auth_request),
        actor=actor,
        remembered_until=remembered_until,
    )


@transaction.atomic
def record(
    *,
    client: Client,
    person: User,
    requested: Collection[str],
    granted: Collection[str],
    resources: Collection[str] = (),
    actor: Actor,
    remembered_until: datetime | None = None,
) -> Consent:
    """Record what the person allowed the client; the latest decision about a scope replaces earlier ones."""
    consent, _ = Consent.objects.select_for_update().get_or_create(client=client, user=person)
    kept = [value for value in consent.scopes if value not in requested]
    if kept and consent.remembered_until is not None:  # what was allowed before is remembered no longer than it was
        remembered_until = min(consent.remembered_until, remembered_until or consent.remembered_until)
    before = sorted(consent.scopes)
    consent.scopes = [*kept, *granted]
    consent.resources = list(dict.fromkeys([*consent.resources, *resources]))
    consent.told = sorted({*(consent.told or ()), *_keys(learned_claims(requested))})
    consent.last_used_at, consent.remembered_until = timezone.now(), remembered_until
    consent.save()
    if sorted(consent.scopes) != before:
        audit.record(AuthorityEvent.CONSENT_GRANTED, actor=actor, target=client, detail={"scopes": list(granted)})
    return consent


@transaction.atomic
def revoke(*, consent: Consent, actor: Actor) -> None:
    """Delete the consent, with every code and token that the client has for the person."""
    end_tokens(consent.user, consent.client)
    audit.record(AuthorityEvent.CONSENT_REVOKED, actor=actor, target=consent.client, detail={"scopes": consent.scopes})
    consent.delete()


@transaction.atomic
def revoke_all(*, person: User, consumer: Consumer | None = None, actor: Actor) -> None:
    """Revoke what every client, or each of one consumer, may do for the person; also what needs no consent."""
    consents = Consent.objects.filter(user=person)
    grants, devices = Grant.objects.filter(user=person), DeviceRequest.objects.filter(user=person)
    granted = TokenFamily.objects.filter(user=person)
    if consumer is not None:
        consents, granted = consents.filter(client__consumer=consumer), granted.filter(client__consumer=consumer)
        grants, devices = grants.filter(application__consumer=consumer), devices.filter(client__consumer=consumer)
    for consent in consents.select_related("client", "user"):
        revoke(consent=consent, actor=actor)
    grants.delete()
    devices.delete()
    families.revoke(granted)


def revoke_of(person: User, consumer: Consumer | None, actor: Actor) -> None:
    """End what apps may do for somebody who is switched off (consumers/actions/departures.py)."""
    revoke_all(person=person, consumer=consumer, actor=actor)


def end_tokens(person: User, client: Client) -> None:
    """End every code, request of a device and token that the client has for the person."""
    Grant.objects.filter(user=person, application=client).delete()
    DeviceRequest.objects.filter(user=person, client=client).delete()
    families.revoke(TokenFamily.objects.filter(user=person, client=client))
