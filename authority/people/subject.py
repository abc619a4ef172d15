"""The person of a code or refresh token, loaded by the statement that locks it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from authority.models import SignIn
from clients.models import Client
from consumers.models import Membership, User
from core.db.rowmap import Columns

USER = Columns(User, "id", "email", "name", "is_active", "login_subject")
SIGN_IN = Columns(
    SignIn,
    *("id", "client_id", "user_id", "sid", "session", "as_member", "authenticated_at", "methods", "acr", "claims"),
)
# What is selected of the tables `person` and `sign_in`; it takes the consumer's ID as a value.
COLUMNS = f"""
    {USER.of("person")},
    EXISTS (SELECT FROM "{Membership._meta.db_table}" WHERE user_id = person.id AND consumer_id = %s),
    {SIGN_IN.of("sign_in")}
"""  # names of our own tables


@dataclass(frozen=True, slots=True)
class Person:
    user: User
    is_member: bool  # of the client's consumer
    sign_in: SignIn | None = None  # those of earlier releases have none

    @property
    def came_as_member(self) -> bool:
        """Return whether they were a member when they signed in; they may have left since."""
        known = self.sign_in.as_member if self.sign_in else None
        return self.is_member if known is None else known


def person_from_row(values: Iterator[Any]) -> Person:
    user, is_member, sign_in = USER.take(values), next(values), SIGN_IN.take(values)
    return Person(user, is_member, sign_in if sign_in.pk else None)


def is_member(user: User, client: Client) -> bool:
    """Return whether the person is a member of the client's consumer; queries the database."""
    return Membership.objects.filter(user=user, consumer=client.consumer_id).exists()
