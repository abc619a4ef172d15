"""Explanations of claims."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from authority.diagnostics.inspector.report import ClaimRow, Viewer, replace_surrogates
from authority.diagnostics.inspector.times import with_distance
from authority.keys import workload_issuer
from authority.tokens import test_tokens
from clients.models import Api
from clients.vocabulary import IDENTITY_SCOPES
from core.timefmt import from_numeric_date

MAX_VALUE_LENGTH = 400  # characters of a value
MAX_CLAIMS = 60  # claims
Content = Mapping[str, Any]
# A meaning alone, or with a word of judgement and its tone before it.
Meaning = str | tuple[str, str, str]


def explain_claims(content: Content, viewer: Viewer) -> list[ClaimRow]:
    """Return every claim with its value and meaning, in the token's own order."""
    flat = {**content, **{f"cnf.{name}": value for name, value in _members(content.get("cnf")).items()}}
    if _members(content.get("cnf")):
        del flat["cnf"]
    return [_row(name, value, content, viewer) for name, value in list(flat.items())[:MAX_CLAIMS]]


def _row(name: str, value: Any, content: Content, viewer: Viewer) -> ClaimRow:
    teller = SPECIAL.get(name)
    meaning: Meaning = teller(value, content, viewer) if teller else _plain(name, content, viewer)
    if isinstance(meaning, str):
        return ClaimRow(replace_surrogates(name[:100]), display_value(value), meaning)
    word, tone, text = meaning
    return ClaimRow(replace_surrogates(name[:100]), display_value(value), text, word, tone)


def _plain(name: str, content: Content, viewer: Viewer) -> str:
    """Return what a claim of this name means: in a token of ours what its API's claims say, else as it is usual."""
    for api in _apis_of(content, viewer):
        for claim in api.claims.all():
            if claim.name == name and claim.reads is not None:
                if viewer.consumer is not None:  # what is on record about a consumer, its operator alone knows
                    return f"Set by the operator for the API {api.name}."
                path = f" {claim.path}" if claim.path else ""
                return f"Set by the claims of the API {api.name}. {claim.reads.label}{path}."
    return PLAIN.get(name, "A claim that its issuer added.")


def _apis_of(content: Content, viewer: Viewer) -> list[Api]:
    """Return the APIs that a token of ours is for."""
    if content.get("iss") != settings.ISSUER:
        return []
    audiences = strings(content.get("aud"))
    return [api for api in viewer.apis if api.identifier in audiences]


def display_value(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = "nested too deeply to be shown"
    text = replace_surrogates(text)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _members(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> list[str]:
    """Return the texts of a claim that may be one or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [replace_surrogates(each) for each in values if isinstance(each, str)]


# -- Claims whose meaning depends on the value ------------------------------------------------------------------------


def _issuer(value: Any, content: Content, viewer: Viewer) -> Meaning:
    if value == settings.ISSUER:
        return "This portal issued it. An API must accept this issuer only."
    if value == workload_issuer.issuer():
        return "This portal’s workload issuer, for clouds and backends."
    if value == content.get("sub"):
        return "Whoever signed it speaks for itself: a client."
    return "Another issuer, not this portal."


def _subject(value: Any, content: Content, viewer: Viewer) -> Meaning:
    if value == content.get("client_id") or value == content.get("iss"):
        return "The client itself: no user takes part."
    if str(value).startswith("atcl_"):
        return "The workload. This name is never given to another."
    return "The user that it represents."


def _audience(value: Any, content: Content, viewer: Viewer) -> Meaning:
    names = {api.identifier: f"the API {api.name}" for api in viewer.apis} | {settings.ISSUER: "this portal itself"}
    known = [names[each] for each in strings(value) if each in names]
    if known:
        return f"Its audience is {' and '.join(known)}. Everybody else must refuse it."
    client = viewer.client(value)
    return f"Its audience is the client {client}." if client else "Its audience. Everybody else must refuse it."


def _client_id(value: Any, content: Content, viewer: Viewer) -> Meaning:
    client = viewer.client(value)
    if client is None:
        return (
            "The client that it was issued to, which is not in this workspace."
            if viewer.consumer
            else "An unknown client."
        )
    return f"{client}, one of your clients." if viewer.consumer else f"{client}, of {client.consumer}."


def _scope(value: Any, content: Content, viewer: Viewer) -> Meaning:
    values = value.split() if isinstance(value, str) else strings(value)
    known = {scope.value: scope.name for api in viewer.apis for scope in api.scopes.all()}
    known |= {name: words for name, (words, _) in IDENTITY_SCOPES.items()}
    words = [known.get(each, "") for each in values]
    names = ", ".join(filter(None, words))
    return f"Its scopes: {names}." if names else "Its scopes, separated by spaces."


def _expiry(value: Any, content: Content, viewer: Viewer) -> Meaning:
    at = from_numeric_date(value)
    if at is None:
        return "Wrong.", "bad", "It must be a number of seconds since 1970."
    if at <= timezone.now():
        return "Expired.", "bad", f"It expired on {with_distance(at)}."
    return f"It is valid until {with_distance(at)}."


def _issued(value: Any, content: Content, viewer: Viewer) -> Meaning:
    at = from_numeric_date(value)
    return f"Issued on {with_distance(at)}." if at else ("Wrong.", "bad", "It must be a number of seconds since 1970.")


def _not_before(value: Any, content: Content, viewer: Viewer) -> Meaning:
    at = from_numeric_date(value)
    if at is None:
        return "Wrong.", "bad", "It must be a number of seconds since 1970."
    return (
        ("Not yet.", "bad", f"Valid from {with_distance(at)}.")
        if at > timezone.now()
        else f"Valid since {with_distance(at)}."
    )


def _signed_in(value: Any, content: Content, viewer: Viewer) -> Meaning:
    at = from_numeric_date(value)
    return f"The person signed in on {with_distance(at)}." if at else "When the person signed in."


def _workspace(value: Any, content: Content, viewer: Viewer) -> Meaning:
    if viewer.consumer is None:
        return "The consumer whose client it was issued to."
    return f"Your workspace, {viewer.consumer}." if value == str(viewer.consumer.pk) else "Another workspace."


def _roles(value: Any, content: Content, viewer: Viewer) -> Meaning:
    for api in _apis_of(content, viewer):
        names = {role.value: role.name for role in api.roles.all()}
        if known := [names[each] for each in strings(value) if each in names]:
            return f"The user’s roles in the API {api.name}: {', '.join(known)}."
    return "The user’s roles there, for finer rules in the API."


def _use(value: Any, content: Content, viewer: Viewer) -> Meaning:
    if value == test_tokens.TOKEN_USE:
        return "A test.", "warn", "A person created it as a test token. An API with real data should refuse it."
    return "Its purpose, as stated by its creator."


SPECIAL: dict[str, Callable[[Any, Content, Viewer], Meaning]] = {
    "iss": _issuer,
    "sub": _subject,
    "aud": _audience,
    "client_id": _client_id,
    "azp": _client_id,
    "scope": _scope,
    "scp": _scope,
    "exp": _expiry,
    "iat": _issued,
    "nbf": _not_before,
    "auth_time": _signed_in,
    "consumer_id": _workspace,
    "token_use": _use,
    "roles": _roles,
}
PLAIN = {
    "jti": "Its ID, by which it is found and revoked.",
    "cnf.jkt": "Bound to a key: it works only with a DPoP proof that this key signed.",
    "cnf.x5t#S256": "Bound to a certificate: it works only on connections that show it.",
    "family_id": "The sign-in that it belongs to; all its tokens are revoked together.",
    "sid": "The session that it belongs to.",
    "nonce": "What the client sent along, so that it knows its own request again.",
    "at_hash": "Ties the ID token to the access token that came with it.",
    "acr": "The authentication context: how the person was authenticated (acr).",
    "amr": "The authentication methods of the sign-in.",
    "act": "Who acts for the person.",
    "name": "The user’s name.",
    "email": "The person’s address.",
    "email_verified": "Whether the address is verified.",
    "account": "The consumer that the workload belongs to.",
    "project": "The project of the workload.",
    "deployment": "The deployment of the workload.",
    "environment_type": "Where the workload runs: production, preview or development.",
    "htm": "The method of the request that the proof is for.",
    "htu": "The URL of the request that the proof is for.",
    "ath": "The access token that the proof belongs to, as a digest.",
    "events": "What happened, such as a sign-out.",
    "repository": "The repository whose job got it.",
    "ref": "The branch or tag whose job got it.",
    "environment": "The environment whose job got it.",
}
