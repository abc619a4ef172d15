"""What follows from a sign-in at an identity provider: who may become an end user, and roles by groups."""

from clients.actions.roles import set_roles
from clients.models import Api, ApiRole, GroupRole, RoleGrant, SignInBy
from clients.vocabulary import RoleSource
from connections.models import Connection
from connections.relying_party.claims import Person
from consumers.audit import SYSTEM
from consumers.models import Consumer, User


def lets_people_in(connection: Connection) -> bool:
    """Say whether an API lets the people of the connection sign in to apps."""
    return Api.objects.filter(sign_in=SignInBy.CONNECTIONS, sign_in_connections=connection).exists()


def keep_roles(user: User, connection: Connection, person: Person) -> None:
    """Give the person the roles of their groups, and take those of groups that they have left.

    A role counts at the clients of the consumers that the connection is for, of all where it is for the whole portal.
    """
    rules = GroupRole.objects.filter(connection=connection).select_related("role__api")
    held = RoleGrant.objects.filter(user=user, connection=connection).select_related("role__api", "consumer")
    places: set[Consumer | None] = set(connection.consumers.all()) or {None}
    wanted = {(rule.role.api, place): set[ApiRole]() for rule in rules for place in places}
    wanted |= {(grant.role.api, grant.consumer): set[ApiRole]() for grant in held}
    for rule in rules:
        if rule.group in person.groups:
            for place in places:
                wanted[rule.role.api, place].add(rule.role)
    for (api, place), roles in wanted.items():
        set_roles(
            api=api,
            user=user,
            roles=roles,
            source=RoleSource.CONNECTION,
            consumer=place,
            connection=connection,
            actor=SYSTEM,
        )
