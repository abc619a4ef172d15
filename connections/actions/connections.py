"""Add, change and delete connections to identity providers, and who must sign in by them."""

from collections.abc import Iterable, Mapping

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from connections import policy
from connections.events import ConnectionEvent
from connections.models import Connection, ConnectionSession, Identity, SignInMode, Source
from consumers import audit
from consumers import policy as consumer_policy
from consumers.audit import Actor
from consumers.models import Consumer, Membership, MembershipSource, User
from core.db import rows
from core.encryption import fernet
from core.errors import Conflict, Refusal

FIXED = ("slug", "issuer")
HARMLESS = {"name", "sign_in", "max_age"}  # of a connection by which operators sign in
TAKEN = "There is a connection with this short name, or with this issuer and client ID."


@transaction.atomic
def create_connection(
    *, connection: Connection, client_secret: str = "", consumers: Iterable[Consumer] = (), actor: Actor
) -> Connection:
    """Save a new connection. Raises Refusal."""
    require_right_to_give_rights(connection, actor)
    _seal(connection, client_secret)
    _judge(connection)
    policy.requirement(connection)
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
    except IntegrityError:
        raise Conflict(TAKEN, field="slug") from None
    connection.consumers.set(consumers)
    audit.record(ConnectionEvent.CREATED, actor=actor, target=connection, detail={"issuer": connection.issuer})
    return connection


@transaction.atomic
def update_connection(
    *,
    connection: Connection,
    values: Mapping[str, object],
    client_secret: str | None = None,
    consumers: Iterable[Consumer] | None = None,
    actor: Actor,
) -> Connection:
    """Set fields by name; a client secret of "" removes it, and None leaves it. Raises Refusal.

    Set to off, it ends the sessions that began by it. Set to required, it ends those of its people that began in
    another way.
    """
    connection = rows.lock(connection)
    require_changeable(connection, actor)
    before, was_for_operators = connection.sign_in, connection.for_operators
    changed = _change(connection, values, client_secret, actor)
    if consumers is not None and set(consumers) != set(connection.consumers.all()):
        connection.consumers.set(consumers)
        changed.append("consumers")
    if "sign_in" in changed:
        _judge_requirement(connection)
    if {"consumers", "groups_claim"} & set(changed):
        policy.standing_rules(connection)
    if not changed:
        return connection
    audit.record(
        ConnectionEvent.UPDATED,
        actor=actor,
        target=connection,
        detail={"fields": sorted(changed), "sign_in": connection.sign_in},
    )
    if was_for_operators and {"for_operators", "operator_claim_value"} & set(changed):
        take_operator_rights(connection.identities.filter(made_operator=True), connection)
    if "sign_in" in changed:
        _end_sessions(connection, before)
    return connection


def _change(connection: Connection, values: Mapping[str, object], client_secret: str | None, actor: Actor) -> list[str]:
    """Set and save the fields and the secret; return the names of what changed. Raises Refusal."""
    was_for_operators = connection.for_operators
    changed = rows.assign(connection, values)
    if fixed := [name for name in FIXED if name in changed]:
        raise Refusal(
            "A connection keeps its short name and issuer, which the provider and people's identities depend on. "
            "Add another connection instead.",
            field=fixed[0],
        )
    if set(changed) - HARMLESS or client_secret is not None:
        # Whoever decides which claim says what, decides who comes in by it.
        require_right_to_give_rights(connection, actor, always=was_for_operators)
    columns = [*changed]
    if client_secret is not None and client_secret != connection.client_secret:
        _seal(connection, client_secret)
        columns.append("encrypted_client_secret")
        changed.append("client_secret")
    if "sign_in" in changed:
        connection.required_at = timezone.now() if connection.sign_in == SignInMode.REQUIRED else None
        columns.append("required_at")
    _judge(connection)
    if columns:
        try:
            with transaction.atomic():
                connection.save(update_fields=columns)
        except IntegrityError:
            raise Conflict(TAKEN, field="client_id") from None
    return changed


@transaction.atomic
def delete_connection(*, connection: Connection, actor: Actor) -> None:
    """Delete a connection with the identities of its people, and end the sessions that began by it.

    Memberships stay, as if the people had been invited. Raises Refusal, also where an API lets its people sign in.
    """
    connection = rows.lock(connection)
    require_changeable(connection, actor)
    policy.deletion(connection)
    end_sessions_by(connection)
    audit.record(
        ConnectionEvent.DELETED,
        actor=actor,
        target=connection,
        detail={"issuer": connection.issuer, "people": connection.identities.count()},
    )
    take_operator_rights(connection.identities.filter(made_operator=True), connection)
    Membership.objects.filter(source=MembershipSource.RULE, source_id=connection.pk).update(
        source=MembershipSource.PEOPLE, source_id=None, source_label=""
    )
    SocialAccount.objects.filter(identity__connection=connection).delete()
    connection.delete()


def take_operator_rights(identities: QuerySet[Identity], connection: Connection) -> None:
    """Take the rights back that a group of the provider gave; a superuser keeps theirs."""
    for identity in identities.select_related("account__user"):
        user = rows.lock(identity.account.user)
        Identity.objects.filter(pk=identity.pk).update(made_operator=False)
        if user.is_superuser or not user.is_staff:
            continue
        user.is_staff = False
        user.save(update_fields=["is_staff"])
        user.groups.clear()
        audit.record(
            ConnectionEvent.OPERATOR_RIGHTS_TAKEN,
            actor=audit.SYSTEM,
            target=user,
            detail={"connection": connection.name, "email": user.email},
        )


def end_sessions_by(connection: Connection, **which: object) -> int:
    """End the browser sessions that began by the connection, of all of its people or some; return how many."""
    keys = list(
        ConnectionSession.objects.filter(identity__connection=connection, **which).values_list("session_key", flat=True)
    )
    return _end([*UserSession.objects.filter(session_key__in=keys)])


def _end_sessions(connection: Connection, before: str) -> None:
    if connection.sign_in == SignInMode.OFF:
        end_sessions_by(connection)
    elif before != SignInMode.REQUIRED:
        end_sessions_of_others(connection)


def end_sessions_of_others(connection: Connection) -> None:
    """End the sessions of a required connection's people that began in another way."""
    if connection.sign_in == SignInMode.REQUIRED:
        began_here = ConnectionSession.objects.filter(identity__connection=connection).values("session_key")
        others = UserSession.objects.filter(user__in=people_of(connection)).exclude(session_key__in=began_here)
        _end([*others])


def people_of(connection: Connection) -> QuerySet[User]:
    """Return who must sign in by the connection once it is required: superusers have a way back."""
    address = Q(pk=None)
    for domain in connection.domains.verified():
        address |= Q(emailaddress__verified=True, emailaddress__email__iendswith=f"@{domain.name}")
    linked = Q(socialaccount__identity__connection=connection)
    return User.objects.filter(address | linked, is_superuser=False).distinct()


def _end(sessions: list[UserSession]) -> int:
    for session in sessions:
        session.end()
    return len(sessions)


def _judge_requirement(connection: Connection) -> None:
    """Judge whether it may be required: not so that operators, for whom it is not, could not sign in at all."""
    policy.requirement(connection)
    if connection.sign_in != SignInMode.REQUIRED or connection.for_operators:
        return
    operators = people_of(connection).filter(is_staff=True, is_active=True)
    if found := operators.first():
        raise Refusal(
            f"{found.email} is an operator, and could no longer sign in. Let operators sign in by it first.",
            field="sign_in",
        )


def _judge(connection: Connection) -> None:
    consumer_policy.model_fields(connection)
    policy.connection(connection)


def _seal(connection: Connection, client_secret: str) -> None:
    policy.client_secret(client_secret)
    connection.encrypted_client_secret = fernet().encrypt(client_secret.encode()) if client_secret else b""


def require_changeable(connection: Connection, actor: Actor) -> None:
    """Refuse what the file would undo at the next start."""
    if connection.source == Source.FILE and actor.kind != "system":
        raise Refusal("This connection is kept in CONNECTIONS_FILE. Change it there.")


def require_right_to_give_rights(connection: Connection, actor: Actor, *, always: bool = False) -> None:
    """Refuse an operator who could let themselves, or a friend, in with more rights than they have."""
    gives_rights = always or connection.for_operators or connection.operator_claim_value or connection.operator_group_id
    if gives_rights and actor.kind != "system" and not (actor.user and actor.user.is_superuser):
        raise Refusal("Only an operator with full rights decides how operators sign in.", field="for_operators")
