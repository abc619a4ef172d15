"""Who is signed in to a client (/admin/clients/{client_id}/people)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from authority.authorization import client_people
from authority.models import TokenFamily
from authority.models.tokens import TokenFamilyQuerySet
from authority.people import at_client
from authority.people.at_client import ClientPerson
from clients.api.lookups import client_at
from clients.models import Client
from consumers.models import User
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.rest.errors import NotFound
from core.rest.paging import PAGING, Keyset, paginate
from core.timefmt import parse_moment, rfc3339

ABOUT: dict[str, Any] = {"tag": "People", "model": "clients.client", "refusals": (404,)}
CHANGE = ABOUT | {"scope": "people:write", "action": "change"}
TEXT = {"type": "string"}
MOMENT = TEXT | {"format": "date-time"}
PERSON: dict[str, Any] = {
    "title": "SignedInPerson",
    "type": "object",
    "properties": {
        "subject": TEXT | {"description": "What tokens call the person: `sub`."},
        "name": TEXT | {"description": "Empty unless the client was granted the scope `profile`."},
        "email": TEXT | {"description": "Empty unless the client was granted the scope `email`."},
        "is_member": {"type": "boolean", "description": "Whether the person is a member of the client's consumer."},
        "scopes": {"type": "array", "items": TEXT},
        "device": TEXT | {"description": "In which they signed in last, such as “Firefox on Linux”."},
        "signed_in_at": MOMENT | {"description": "The first of their sign-ins that has not ended."},
        "last_used_at": MOMENT | {"description": "When the client last got a token for them."},
    },
}


def _document(person: ClientPerson) -> dict[str, Any]:
    return {
        "subject": person.subject,
        "name": person.name,
        "email": person.email,
        "is_member": person.is_member,
        "scopes": person.scopes,
        "device": person.device,
        "signed_in_at": person.since,
        "last_used_at": person.last_used_at,
    }


def _after(families: TokenFamilyQuerySet, key: list[str]) -> TokenFamilyQuerySet:
    return families.after(parse_moment(key[0]), UUID(key[1]))


BY_SIGN_IN: Keyset[TokenFamily] = Keyset(
    order=("-began_at", "-pk"),
    key=lambda family: [rfc3339(family.began_at, "microseconds"), str(family.pk)],
    after=_after,  # type: ignore[arg-type]  # of its own queryset
)


@operation(
    id="listSignedInPeople",
    summary="List the people who are signed in to a client",
    scope="people:read",
    query=PAGING | {"subject": TEXT | {"description": "Only this person."}},
    answers={200: {"type": "array", "items": PERSON}},
    **ABOUT,
)
def list_people(call: ApiRequest, client_id: str) -> HttpResponse:
    """The latest sign-in first. What the client was not allowed to know of a person is not told here either."""
    client = client_at(call, client_id)
    families = at_client.latest(client).with_use(client).select_related("user")
    if "subject" in call.query:
        families = families.filter(user__in=User.objects.of_subject(call.query["subject"]))
    rows, headers = paginate(call.request, families, call.query, whose=call.token_key, keyset=BY_SIGN_IN)
    return json_response([_document(each) for each in at_client.described(client, rows)], headers=headers)


@operation(
    id="getSignedInPerson",
    summary="Read a person who is signed in to a client",
    scope="people:read",
    answers={200: PERSON},
    **ABOUT,
)
def get_person(call: ApiRequest, client_id: str, subject: str) -> HttpResponse:
    client = client_at(call, client_id)
    families = at_client.latest(client).with_use(client).select_related("user")
    found = list(families.filter(user__in=User.objects.of_subject(subject))[:1])
    if not found:
        raise NotFound
    return json_response(_document(at_client.described(client, found)[0]))


@operation(
    id="deleteSignedInPerson",
    summary="Sign a person out of a client",
    answers={204: "The client's tokens for the person are revoked, on all of their devices."},
    **CHANGE | {"refusals": (404, 412)},
)
def sign_person_out(call: ApiRequest, client_id: str, subject: str) -> HttpResponse:
    """Their account is not touched, and they can sign in again."""
    client = _writable(call, client_id)
    user = at_client.find(client, subject)
    if user is None:
        raise NotFound
    client_people.end_sign_ins(client=client, user=user, actor=call.caller.actor)
    return no_content()


@operation(
    id="deleteSignedInPeople",
    summary="Sign everybody out of a client",
    answers={204: "Everybody has to sign in again. The client's own tokens stay valid."},
    **CHANGE,
)
def sign_everybody_out(call: ApiRequest, client_id: str) -> HttpResponse:
    """However many there are."""
    client_people.end_all_sign_ins(client=_writable(call, client_id), actor=call.caller.actor)
    return no_content()


def _writable(call: ApiRequest, client_id: str) -> Client:
    client = client_at(call, client_id)
    call.require_writable(client.consumer)
    return client
