"""Device authorization requests (RFC 8628): the device shows a user code, which the person enters in a browser.

The device polls with the device code, which is stored as a digest; the short user code is stored as a digest with the
pepper, because anybody could hash all short codes.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from oauthlib.oauth2.rfc8628.errors import AccessDenied, AuthorizationPendingError, ExpiredTokenError, SlowDownError

from authority.authorization import consents, quotas, sign_ins
from authority.client_directory import ClientEntry
from authority.models import DeviceRequest, TokenFamily
from authority.people import subject
from authority.people.browser_authentication import Authentication
from authority.people.subject import Person
from authority.telemetry import request_trace
from authority.tokens import families
from clients.models import Scope
from clients.vocabulary import GrantType
from consumers import emails
from consumers.audit import Actor
from consumers.models import User
from core import clock, credentials
from core.credentials import token_digest
from core.errors import Conflict
from core.limits import longest
from core.timefmt import weekday_date_time

LIFETIME = 600  # seconds
INTERVAL = 5  # seconds between two polls, and what slow_down adds (RFC 8628 section 3.5)
# Consonants, which spell no word and are not confused (RFC 8628 section 6.1): 8 of 20 are 34 bits.
USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_LENGTH = 8
State = DeviceRequest.State


def create(entry: ClientEntry, scopes: list[str], *, ip: str | None, user_agent: str) -> tuple[str, str]:
    """Save a device's request, and where it came from; return its device code and its user code.

    Raises TooManyRequestsError.
    """
    quotas.count(DeviceRequest.objects.filter(state=State.WAITING), entry.client, ip)
    device_code = credentials.generate("cddc_")
    while True:
        user_code = "".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LENGTH))
        try:
            with transaction.atomic():
                DeviceRequest.objects.create(
                    digest=token_digest(device_code),
                    user_code=_user_code_digest(user_code),
                    client=entry.client,
                    scopes=scopes,
                    interval=INTERVAL,
                    ip=ip,
                    user_agent=user_agent[: longest(DeviceRequest, "user_agent")],
                    expires_at=clock.now() + timedelta(seconds=LIFETIME),
                )
        except IntegrityError:  # another device has this user code now
            continue
        return device_code, f"{user_code[:4]}-{user_code[4:]}"


def normalize_user_code(typed: str) -> str:
    """Return the user code in its stored form, however it was typed (RFC 8628 section 6.1)."""
    return "".join(character for character in typed.upper() if character in USER_CODE_ALPHABET)


def _user_code_digest(user_code: str) -> str:
    return credentials.keyed_digest(user_code, credentials.current_pepper())


# -- The person -------------------------------------------------------------------------------------------------------


def find_waiting(typed: str) -> DeviceRequest | None:
    """Return the waiting request of a user code, or None."""
    waiting = DeviceRequest.objects.select_related("client__consumer").filter(
        user_code__in=credentials.keyed_digests(normalize_user_code(typed)),
        state=State.WAITING,
        expires_at__gt=clock.now(),
    )
    # While a pepper is changed, two devices may have one code, each under its pepper: then it is nobody's.
    found = waiting[:2]
    return found[0] if len(found) == 1 and found[0].client.is_usable(None) else None


@transaction.atomic
def decide(
    *, request: DeviceRequest, user: User, scopes: list[str], actor: Actor, now: Authentication | None = None
) -> None:
    """Allow the device these scopes, or deny it when there are none. Raises Conflict when it is too late.

    `now` is how the person is authenticated, for the device's ID tokens. The consent is listed among the person's apps,
    where they can revoke it; each device asks again. They get a mail: somebody else may have talked them into it.
    """
    waiting = DeviceRequest.objects.filter(pk=request.pk, state=State.WAITING, expires_at__gt=clock.now())
    state = State.ALLOWED if scopes else State.DENIED
    granted = [value for value in request.scopes if value in scopes]
    if not waiting.update(state=state, user=user, scopes=granted or request.scopes):
        raise Conflict("This code has expired, or was already answered. Start again on the device.")
    if scopes:
        if now is not None:
            sign_in = sign_ins.record_on_device(request.client, user, now, request.user_agent)
            DeviceRequest.objects.filter(pk=request.pk).update(sign_in=sign_in)
        consents.record(client=request.client, person=user, requested=request.scopes, granted=granted, actor=actor)
        _send_device_sign_in(request, user, granted)


def _send_device_sign_in(request: DeviceRequest, user: User, granted: list[str]) -> None:
    permissions = Scope.objects.filter(value__in=granted).order_by("pk").values_list("name", flat=True)
    facts = [
        ("When", weekday_date_time(clock.now())),
        ("IP address", request.ip or "Unknown"),
        ("Program", request.program),
    ]
    emails.compose(
        "device_sign_in",
        user.email,
        client=str(request.client),
        facts=[*facts, ("Permissions", ", ".join(permissions))] if permissions else facts,
        action_url=settings.PUBLIC_URL + reverse("apps"),
        action_label="Review your apps",
    ).send()


# -- The device -------------------------------------------------------------------------------------------------------


def lock_allowed(entry: ClientEntry, device_code: str) -> tuple[DeviceRequest, Person]:
    """Return an allowed request, locked until the transaction ends, and its person.

    Raises the errors of RFC 8628 section 3.5. A replayed code revokes the tokens that were issued for it.
    """
    name = token_digest(device_code)
    request = (
        DeviceRequest.objects.select_for_update(of=("self",))
        .select_related("user", "sign_in")
        .filter(digest=name, client=entry.client)
        .first()
    )
    if request is None:
        revoked = families.revoke(TokenFamily.objects.filter(code=name, client=entry.client))
        request_trace.set_reason("code_used" if revoked else "code_unknown")
        raise InvalidGrantError()
    now = clock.now()
    if request.expires_at <= now:
        raise ExpiredTokenError()
    if request.state == State.DENIED:
        raise AccessDenied()
    if request.state == State.WAITING:
        _enforce_interval(request)
    if request.user is None or not request.user.is_active or entry.has_signed_out(request.created_at):
        request_trace.set_reason("person_inactive")
        raise InvalidGrantError()
    person = Person(request.user, subject.is_member(request.user, entry.client), request.sign_in)
    if sign_ins.is_over(person, request.scopes):
        request_trace.set_reason("sign_in_over")
        raise InvalidGrantError()
    return request, person


def _enforce_interval(request: DeviceRequest) -> None:
    """Raise authorization_pending, or slow_down with a longer interval for a device that polls too fast."""
    now = clock.now()
    too_fast = request.polled_at is not None and now < request.polled_at + timedelta(seconds=request.interval)
    request.polled_at = now
    if too_fast:
        request.interval += INTERVAL
    request.save(update_fields=["polled_at", "interval"])
    if too_fast:
        raise SlowDownError()
    raise AuthorizationPendingError()


def new_family(entry: ClientEntry, request: DeviceRequest, person: Person, jkt: str | None) -> TokenFamily:
    """Return the request's token family, unsaved."""
    return families.new_family(
        entry,
        person,
        grant_type=GrantType.DEVICE_CODE,
        code=request.digest,
        scopes=request.scopes,
        dpop_jkt=jkt or "",
    )
