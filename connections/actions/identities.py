"""Identities at providers: whose account a sign-in opens, linking and unlinking.

Identity is issuer and subject. An address opens an account only where the connection is trusted for its domain and
the provider calls it verified (docs/decisions/0035-identity-providers.md).
"""

from collections.abc import Callable
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from connections import emails
from connections.actions import joining
from connections.actions.connections import end_sessions_by, take_operator_rights
from connections.events import ConnectionEvent
from connections.models import Connection, ConnectionSession, Identity
from connections.relying_party.claims import Person, kept_claims
from connections.relying_party.failures import SignInFailed
from consumers import audit
from consumers.audit import SYSTEM, Actor
from consumers.models import Invitation, User
from core.db import rows
from core.errors import Conflict
from core.rate_limits import Budget

# Whether people of a connection may be made end users of apps: the room above says by which APIs.
EndUserCheck = Callable[[Connection], bool]
# What follows from a sign-in in the room above, such as roles by groups.
SignInListener = Callable[[User, Connection, Person], None]
_end_user_checks: list[EndUserCheck] = []
_listeners: list[SignInListener] = []

_told = Budget("refused-sign-ins", (3, 3600))  # events of one person's refusals, and mails


def register_end_user_check(check: EndUserCheck) -> None:
    if check not in _end_user_checks:
        _end_user_checks.append(check)


def register_sign_in_listener(listener: SignInListener) -> None:
    """Call this in the transaction of each sign-in by a connection."""
    if listener not in _listeners:
        _listeners.append(listener)


@transaction.atomic
def sign_in(*, connection: Connection, person: Person, actor: Actor) -> SocialAccount:
    """Return the account's identity, which the sign-in opens; link or make one where the rules let it.

    Memberships, and an operator's rights, are brought in step with what the provider says. Raises SignInFailed.
    """
    account = find(person)
    if account is None:
        account = _link_or_provision(connection, person, actor)
    user = account.user
    if not user.is_active:
        return account  # who is told so, and nothing is brought in step for them
    if user.is_staff and not connection.for_operators:
        raise SignInFailed("operator")
    _judge_address(user, person)
    identity = _take_over(account, connection, person)
    by = Actor(
        kind="operator" if user.is_staff else "person",
        id=str(user.pk),
        label=str(user),
        user=user,
        ip=actor.ip,
        user_agent=actor.user_agent,
        request_id=actor.request_id,
    )
    if person.is_proven or not user.is_end_user:  # rights in the portal are for whoever has proven an address
        joining.keep_in_step(user=user, connection=connection, person=person, actor=by)
        joining.keep_operator_rights(identity=identity, connection=connection, person=person)
    for listener in _listeners:
        listener(user, connection, person)
    account.user.refresh_from_db()
    return account


def find(person: Person) -> SocialAccount | None:
    """Return the account's row of this issuer and subject, or None."""
    found: SocialAccount | None = (
        SocialAccount.objects.select_related("user").filter(provider=person.issuer, uid=person.subject).first()
    )
    return found


def _link_or_provision(connection: Connection, person: Person, actor: Actor) -> SocialAccount:
    """Link the account that has the address, or make one. Raises SignInFailed."""
    rows.lock(connection)  # of two first sign-ins at once, the second finds what the first has made
    if (account := find(person)) is not None:
        return account
    if not person.is_proven and not _makes_end_users(connection):
        raise SignInFailed("unproven", f"The address {person.email or '(none)'} is not proven.")
    if not person.is_proven:  # so it is nobody's here; the identity is theirs all the same
        return link(user=_create_end_user(connection, person), connection=connection, person=person, actor=actor)
    user = User.objects.of_address(person.email).first()
    if user is None:
        user = _provision(connection, person, actor)
    elif user.is_staff and not connection.for_operators:
        raise SignInFailed("operator")
    elif SocialAccount.objects.filter(user=user, provider=person.issuer).exists():
        raise SignInFailed("subject_changed", f"{person.email} is linked to another subject.")
    return link(user=user, connection=connection, person=person, actor=actor)


def _provision(connection: Connection, person: Person, actor: Actor) -> User:
    """Make the account of somebody whom a rule lets join, or who has been invited. Raises SignInFailed."""
    is_operator = connection.for_operators and connection.operator_claim_value in person.groups
    invited = Invitation.objects.open().filter(email__iexact=person.email)
    if not (joining.wanted_roles(connection, person) or is_operator or invited.exists()):
        if _makes_end_users(connection):
            return _create_end_user(connection, person)
        raise SignInFailed("unknown", f"No rule or invitation for {person.email}.")
    user = User.objects.create_user(person.email, name=person.name)
    _record_provisioning(user, connection)
    return user


def _makes_end_users(connection: Connection) -> bool:
    return any(check(connection) for check in _end_user_checks)


def _create_end_user(connection: Connection, person: Person) -> User:
    """Make the account of somebody who signs in to apps alone; a proven address is theirs, any other is not kept."""
    user = User.objects.create_end_user(email=person.email if person.is_proven else "", name=person.name)
    _record_provisioning(user, connection)
    return user


def _record_provisioning(user: User, connection: Connection) -> None:
    detail = {"connection": connection.name}
    if user.has_address:
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        detail["email"] = user.email
    audit.record(ConnectionEvent.PERSON_PROVISIONED, actor=SYSTEM, target=user, detail=detail)


@transaction.atomic
def link(*, user: User, connection: Connection, person: Person, actor: Actor) -> SocialAccount:
    """Let whoever is this subject at the provider sign in as the person. Tells the person by mail.

    Raises Conflict where the subject, or the person, is linked already.
    """
    if SocialAccount.objects.filter(user=user, provider=person.issuer).exists():
        raise Conflict(f"The account has an identity at {connection} already. Disconnect that one first.")
    try:
        with transaction.atomic():
            account = SocialAccount.objects.create(user=user, provider=person.issuer, uid=person.subject, extra_data={})
            Identity.objects.create(
                account=account, connection=connection, email=person.email, groups=list(person.groups)
            )
    except IntegrityError:
        raise Conflict(f"This identity at {connection} belongs to another account.") from None
    audit.record(
        ConnectionEvent.IDENTITY_LINKED,
        actor=actor if actor.user else SYSTEM,
        target=user,
        detail={"connection": connection.name, "issuer": person.issuer, "email": person.email},
    )
    if user.has_address and not user.is_end_user:
        emails.send_identity_linked(user, connection, person.email)
    return account


@transaction.atomic
def unlink(*, identity: Identity, actor: Actor, keep: str | None = None) -> None:
    """Let the identity open the account no longer, and end the sessions that began by it, but for the one named."""
    user, connection = identity.account.user, identity.connection
    ConnectionSession.objects.filter(session_key=keep).delete()
    end_sessions_by(connection, identity=identity)
    take_operator_rights(Identity.objects.filter(pk=identity.pk, made_operator=True), connection)
    audit.record(
        ConnectionEvent.IDENTITY_UNLINKED,
        actor=actor,
        target=user,
        detail={"connection": connection.name, "issuer": identity.account.provider},
    )
    if user.has_address:
        emails.send_identity_unlinked(user, connection)
    identity.account.delete()


def _judge_address(user: User, person: Person) -> None:
    """Refuse a known subject that comes with the address of another account: one of the two is not who they were.

    Some providers give a subject to somebody else; and an address that was given to somebody else belongs to them.
    """
    if not person.is_proven:
        return
    owner = User.objects.of_address(person.email).exclude(pk=user.pk).first()
    if owner is not None:
        raise SignInFailed("other_account", f"{person.email} belongs to another account than the subject.")


def _take_over(account: SocialAccount, connection: Connection, person: Person) -> Identity:
    """Keep what the provider says now. A new address that it proves becomes one of the account's."""
    user, now = account.user, timezone.now()
    identity, _ = Identity.objects.get_or_create(account=account, defaults={"connection": connection})
    if person.email and identity.email and person.email.lower() != identity.email.lower():
        audit.record(
            ConnectionEvent.IDENTITY_EMAIL_CHANGED,
            actor=SYSTEM,
            target=user,
            detail={"connection": connection.name, "email": person.email},
        )
    if person.is_proven:
        addresses = EmailAddress.objects.filter(user=user, email__iexact=person.email)
        if not addresses.exists():
            is_first = not user.has_address
            EmailAddress.objects.create(user=user, email=person.email.lower(), verified=True, primary=is_first)
        addresses.filter(verified=False).update(verified=True)
        if not user.has_address:  # of an end user, who has proven none before
            user.email = person.email
            user.save(update_fields=["email"])
    if not user.name and person.name:
        User.objects.filter(pk=user.pk).update(name=person.name)
    identity.connection, identity.signed_in_at = connection, now
    identity.email, identity.groups = person.email, list(person.groups)
    identity.claims = kept_claims(connection, person.claims)
    identity.save(update_fields=["connection", "email", "groups", "claims", "signed_in_at"])
    stale = Q(signed_in_at=None) | Q(signed_in_at__lt=now - timedelta(minutes=1)) | ~Q(problem="")
    Connection.objects.filter(stale, pk=connection.pk).update(signed_in_at=now, problem="", problem_at=None)
    return identity


@transaction.atomic
def record_session(*, account: SocialAccount, session_key: str, sid: str) -> None:
    """Keep which browser session began by the identity, so that the provider can end it."""
    ConnectionSession.objects.update_or_create(
        session_key=session_key, defaults={"identity_id": account.pk, "sid": sid}
    )


@transaction.atomic
def record_refusal(*, connection: Connection, failure: SignInFailed, person: Person | None, actor: Actor) -> None:
    """Keep why a sign-in came to nothing: with the connection where that is at fault, else in the activity."""
    if failure.words.is_fault:
        text = f"{failure.words.operator} {failure.detail}".strip()
        Connection.objects.filter(pk=connection.pk).update(problem=text[:300], problem_at=timezone.now())
    elif person is not None and not _told.spend(f"{connection.pk}:{person.subject}:{failure.reason}"):
        audit.record(
            ConnectionEvent.SIGN_IN_REFUSED,
            actor=actor,
            target=connection,
            detail={"reason": failure.reason, "email": person.email, "subject": person.subject},
        )
        if failure.reason in ("other_account", "subject_changed"):
            emails.send_identity_conflict(connection, failure, person)


@transaction.atomic
def record_way_back(*, user: User, connection: Connection, actor: Actor) -> None:
    """Record that a superuser has signed in by a passkey although the connection is required; mail all operators."""
    audit.record(ConnectionEvent.WAY_BACK_USED, actor=actor, target=user, detail={"connection": connection.name})
    emails.send_way_back_used(user, connection, ip=actor.ip, user_agent=actor.user_agent)


@transaction.atomic
def log_out(*, connection: Connection, subject: str, sid: str, actor: Actor) -> int:
    """End the sessions that the provider says are over: one by its sid, or all of the subject. Return how many."""
    which: dict[str, object] = {}
    if sid:
        which["sid"] = sid
    if subject:
        which["identity__account__uid"] = subject
    ended = end_sessions_by(connection, **which)
    if ended:
        audit.record(ConnectionEvent.LOGGED_OUT, actor=actor, target=connection, detail={"sessions": ended})
    return ended


@transaction.atomic
def record_test(*, connection: Connection, actor: Actor) -> None:
    """Keep that a test sign-in came through."""
    Connection.objects.filter(pk=connection.pk).update(tested_at=timezone.now(), problem="", problem_at=None)
    audit.record(ConnectionEvent.TESTED, actor=actor, target=connection)
