"""The sources of the claims in an API's access tokens, an entry for each.

A new source is one entry here: what it is called, what the operator names besides, and what it reads. What a consumer
is stays the same for all its tokens, so the directory of clients reads it in its one query. What a person is, is read
for each token.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Func, JSONField, OuterRef, Value
from django.db.models.expressions import Combinable

# What an operator says of a claim besides its source.
PATH, VALUE = "path", "value"


@dataclass(frozen=True, slots=True)
class TokenPerson:
    """The person for whom a token speaks, as its claims tell."""

    user_id: str
    email: str
    name: str
    roles: Sequence[str]
    groups: Sequence[str] = ()  # what the person's identity provider said at their last sign-in
    connection_claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ClaimSource:
    """Where the value of a claim comes from.

    `of_consumer` returns the SQL expression on a row of ApiClaim, given how to refer to a column of the consumer;
    `of_person` returns the value for a person, given the claim's path. A value of None leaves the claim out.
    """

    value: str
    label: str
    example: Any
    argument: str = ""  # PATH, VALUE, or nothing
    scope: str = ""  # an identity scope, without which the claim is left out
    of_consumer: Callable[[Callable[[str], OuterRef]], Combinable] | None = None
    of_person: Callable[[TokenPerson, str], Any] | None = None
    is_of_provider: bool = False  # what the person's identity provider said

    @property
    def is_personal(self) -> bool:
        """Say whether it tells of a person, so that no token of a client for itself has it."""
        return self.of_person is not None

    @property
    def when(self) -> str:
        """Return when tokens have the claim, in words."""
        if self.scope:
            return f"With scope {self.scope}"
        return "Tokens of people" if self.is_personal else "When present" if self.argument == PATH else "Always"


def _external_id(consumer: Callable[[str], OuterRef]) -> Combinable:
    return Func(consumer("external_id"), function="to_jsonb", output_field=JSONField())


def _metadata(consumer: Callable[[str], OuterRef]) -> Combinable:
    path = Func(F("path"), Value("."), function="string_to_array")
    found = Func(consumer("metadata"), path, template="(%(expressions)s)", arg_joiner=" #> ")
    found.output_field = JSONField()
    return found


SOURCES = {
    source.value: source
    for source in (
        ClaimSource(
            value="user_id",
            label="Person: user ID",
            example="7d4f6a0e-4a52-4c0c-9a63-1b3c6f1f2f10",
            of_person=lambda person, _: person.user_id,
        ),
        ClaimSource(
            value="email",
            label="Person: email",
            example="anna@northwind.example",
            scope="email",
            of_person=lambda person, _: person.email,
        ),
        ClaimSource(
            value="name",
            label="Person: name",
            example="Anna Lund",
            scope="profile",
            of_person=lambda person, _: person.name or None,
        ),
        ClaimSource(
            value="roles",
            label="Person: roles in this API",
            example=["dispatcher"],
            of_person=lambda person, _: list(person.roles) or None,
        ),
        ClaimSource(
            value="groups",
            label="Person: groups at their identity provider",
            example=["platform-admins"],
            of_person=lambda person, _: list(person.groups) or None,
            is_of_provider=True,
        ),
        ClaimSource(
            value="connection_claim",
            label="Person: claim of their identity provider",
            example="D-204",
            argument=PATH,
            of_person=lambda person, path: person.connection_claims.get(path),
            is_of_provider=True,
        ),
        ClaimSource(
            value="external_id",
            label="Consumer: external ID",
            example="CRM-1009",
            of_consumer=_external_id,
        ),
        ClaimSource(
            value="metadata",
            label="Consumer: metadata",
            example="partner",
            argument=PATH,
            of_consumer=_metadata,
        ),
        ClaimSource(value="constant", label="Constant", example="v2", argument=VALUE, of_consumer=lambda _: F("value")),
    )
}
ROLES = "roles"  # the claim of RFC 9068 section 2.2.3.1, and the source of no other meaning
