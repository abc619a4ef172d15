"""Signing in on a device that has no browser of its own (RFC 8628): it shows a code, the person types it elsewhere.

The device polls with a device code, which rests as a digest; the short code that people type rests under the pepper,
because anybody could hash all short codes.
"""

import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from oauthlib.oauth2.rfc8628.errors import AccessDenied, AuthorizationPendingError, ExpiredTokenError, SlowDownError

from authority.authorization import consents, sign_ins
from authority.client_directory import Entry
from authority.models import DeviceRequest, Family
from authority.people import subject
from authority.people.browser_authentication import Authentication
from authority.people.subject import Person
from authority.telemetry import request_trace
from authority.tokens import families
from clients.vocabulary import GrantType
from consumers.audit import Actor
from consumers.models import User
from core import credentials
from core.digests import digest
from core.errors import Conflict

LIFETIME = 600  # seconds
INTERVAL = 5  # seconds between two polls, and what is added for polling faster (RFC 8628 section 3.5)
# Consonants that spell no word and are not taken for each other (RFC 8628 section 6.1): 8 of 20 are 34 bits.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
State = DeviceRequest.State


def ask(entry: Entry, scopes: list[str]) -> tuple[str, str]:
    """Write down what a device asks for; return its device code and the code that it shows."""
    device_code = credentials.generate("cddc_")
    while True:
        user_code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        try:
            with transaction.atomic():
                DeviceRequest.objects.create(
                    digest=digest(device_code),
                    user_code=_user_code_digest(user_code),
                    client=entry.client,
                    scopes=scopes,
                    interval=INTERVAL,
                    expires_at=timezone.now() + timedelta(seconds=LIFETIME),
                )
        except IntegrityError:  # the code is another device's just now
            continue
        return device_code, f"{user_code[:4]}-{user_code[4:]}"


def normal(typed: str) -> str:
    """Return what was typed as a code: in any case, with or without its dash (RFC 8628 section 6.1)."""
    return "".join(character for character in typed.upper() if character in ALPHABET)


def _user_code_digest(user_code: str) -> str:
    return credentials.digest(user_code, credentials.current_pepper())


# -- The person -------------------------------------------------------------------------------------------------------


def find(typed: str) -> DeviceRequest | None:
    """Return the request that waits for the person who typed its code, or None."""
    waiting = DeviceRequest.objects.select_related("client__consumer").filter(
        user_code=_user_code_digest(normal(typed)), state=State.WAITING, expires_at__gt=timezone.now()
    )
    found = waiting.first()
    return found if found is not None and found.client.is_usable(None) else None


@transaction.atomic
def decide(
    *, request: DeviceRequest, user: User, scopes: list[str], actor: Actor, now: Authentication | None = None
) -> None:
    """Let the device in with these scopes, or not when there are none. Raises Conflict when it is too late.

    `now` is how the person is authenticated, for the device's ID tokens to say. What was allowed stands among the
    person's apps, where they can take it back; it is asked anew for each device.
    """
    waiting = DeviceRequest.objects.filter(pk=request.pk, state=State.WAITING, expires_at__gt=timezone.now())
    state = State.ALLOWED if scopes else State.DENIED
    granted = [value for value in request.scopes if value in scopes]
    if not waiting.update(state=state, user=user, scopes=granted or request.scopes):
        raise Conflict("This code has ended, or somebody has answered it already. Start again on the device.")
    if scopes:
        if now is not None:
            sign_in = sign_ins.on_device(request.client, user, now)
            DeviceRequest.objects.filter(pk=request.pk).update(sign_in=sign_in)
        consents.note(client=request.client, person=user, asked=request.scopes, granted=granted, actor=actor)


# -- The device -------------------------------------------------------------------------------------------------------


def present(entry: Entry, device_code: str) -> tuple[DeviceRequest, Person]:
    """Return the request that a person has allowed, locked until the transaction ends, and who that is.

    Raises the errors of RFC 8628 section 3.5. A code that was exchanged before ends what it gave.
    """
    name = digest(device_code)
    request = (
        DeviceRequest.objects.select_for_update(of=("self",))
        .select_related("user", "sign_in")
        .filter(digest=name, client=entry.client)
        .first()
    )
    if request is None:
        given = families.end(Family.objects.filter(code=name, client=entry.client))
        request_trace.because("code_used" if given else "code_unknown")
        raise InvalidGrantError()
    now = timezone.now()
    if request.expires_at <= now:
        raise ExpiredTokenError()
    if request.state == State.DENIED:
        raise AccessDenied()
    if request.state == State.WAITING:
        _pace(request)
    if request.user is None or not request.user.is_active or entry.has_revoked(request.created_at):
        request_trace.because("person_inactive")
        raise InvalidGrantError()
    person = Person(request.user, subject.is_member(request.user, entry.client), request.sign_in)
    if sign_ins.is_over(person, request.scopes):
        request_trace.because("sign_in_over")
        raise InvalidGrantError()
    return request, person


def _pace(request: DeviceRequest) -> None:
    """Say that nobody has decided yet, and ask a device that polls too fast to wait longer from now on."""
    now = timezone.now()
    hasty = request.polled_at is not None and now < request.polled_at + timedelta(seconds=request.interval)
    request.polled_at = now
    if hasty:
        request.interval += INTERVAL
    request.save(update_fields=["polled_at", "interval"])
    if hasty:
        raise SlowDownError()
    raise AuthorizationPendingError()


def family(entry: Entry, request: DeviceRequest, person: Person, jkt: str | None) -> Family:
    """Return the family that the request leads to, unsaved."""
    return families.new(
        entry,
        person,
        grant_type=GrantType.DEVICE_CODE,
        code=request.digest,
        scopes=request.scopes,
        dpop_jkt=jkt or "",
    )
