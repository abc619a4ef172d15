"""The provider's own login and consent at the authorization endpoint, by the challenges of Ory Hydra.

The browser is led to the address of the login with a challenge; the provider's server asks by the management API what
is wanted (authority/api/login_requests.py and beside it), answers there, and leads the browser back with a verifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, ConsentRequired, LoginRequired

from authority.authorization import challenges, login_sessions
from authority.authorization.challenges import Answer, Kind
from authority.authorization.login_sessions import LoginAnswer
from authority.authorization.sign_ins import SignedIn
from authority.endpoints.browser_responses import ClientRedirect, leave
from authority.endpoints.interaction import Interaction, public_url
from authority.models import Consent, LoginSession
from authority.people import id_tokens
from clients.actions.roles import set_roles
from clients.claim_sources import ROLES
from clients.models import Api, ApiRole, Client
from clients.vocabulary import RoleSource
from consumers.audit import SYSTEM
from consumers.models import User
from core import clock
from core.client_ip import caller_ip


@dataclass(frozen=True, slots=True)
class Consented:
    """What the provider's own consent allows the client."""

    scopes: list[str]
    resources: list[str]
    claims: dict[str, Any] | None
    remembered_until: datetime | None  # None where it does not expire


# -- The login --------------------------------------------------------------------------------------------------------


def signed_in(interaction: Interaction, api: Api) -> SignedIn | HttpResponse:
    """Return whom the API's login has signed in for this request, or where the browser goes on.

    Raises LoginRequired where nobody may be asked, AccessDeniedError and RejectedError.
    """
    if verifier := interaction.request.GET.get("login_verifier"):
        return _take_login(interaction, api, verifier)
    session = login_sessions.current(interaction.request)
    return _signed_in_by(session, interaction, api) or _ask_for_login(interaction, api, session)


def signed_in_already(interaction: Interaction, api: Api) -> SignedIn | None:
    """Return whom the login has signed in for this request, or None."""
    return _signed_in_by(login_sessions.current(interaction.request), interaction, api)


def _signed_in_by(session: LoginSession | None, interaction: Interaction, api: Api) -> SignedIn | None:
    """Return whose session it is, if it has served this request.

    What the login said is that of this request: in another tab it may have said something else for another client.
    """
    sid, _, digest = interaction.flow.chosen.partition(".") if interaction.flow is not None else ("", "", "")
    if session is None or sid != str(session.pk) or (said := challenges.taken(Kind.LOGIN, digest)) is None:
        return None
    now, claims = login_sessions.authentication_of(session), _claims_of(api, said["session"])
    return SignedIn(session.user, now, session, claims, **said["consent"])


def _ask_for_login(interaction: Interaction, api: Api, session: LoginSession | None) -> HttpResponse:
    request = interaction.auth_request
    skipped = session if session is not None and _may_skip(interaction, api, session) else None
    if skipped is None and "none" in request.prompts:
        raise LoginRequired()
    asked = _asked(interaction, skipped) | {
        "skip": skipped is not None,
        # The session that the login is about to begin has its name now, so that the login knows it by `sid`.
        "session_id": str(session.pk if session is not None else uuid4()),
    }
    return _lead(interaction, api, Kind.LOGIN, asked, skipped)


def _may_skip(interaction: Interaction, api: Api, session: LoginSession) -> bool:
    """Say whether the remembered session will do (OpenID Connect Core section 3.1.2.1)."""
    request, max_age = interaction.auth_request, interaction.auth_request.max_age
    if not session.is_remembered or session.api.login_url != api.login_url:
        return False
    if request.prompts & {"login", "select_account"} or request.subject not in (None, session.user.subject):
        return False
    return max_age is None or clock.now() <= session.authenticated_at + timedelta(seconds=max_age)


def _take_login(interaction: Interaction, api: Api, verifier: str) -> HttpResponse:
    """Begin the session that the login answered with, and go on with the request without the verifier."""
    taken = challenges.take(
        Kind.LOGIN,
        verifier,
        browser=login_sessions.browser_key(interaction.request),
        path=interaction.url(),
    )
    answer = LoginAnswer(
        **taken.members["login"] | {"authenticated_at": datetime.fromisoformat(taken.members["authenticated_at"])}
    )
    user = login_sessions.person_of(answer.subject)
    if not user.is_active:
        raise AccessDeniedError("The operator has deactivated this account.")
    if interaction.auth_request.subject not in (None, user.subject):
        raise LoginRequired("The person who has signed in is not the one in id_token_hint.")
    if interaction.rule.requires_two_factors and "mfa" not in answer.amr:
        raise AccessDeniedError("The API wants two factors, and the login did not say mfa in amr (RFC 8176).")
    _set_roles(interaction, user, api, taken.members["session"])
    key = None
    if taken.request["skip"] and taken.session is not None:
        session = taken.session
        login_sessions.keep(session, answer=answer)
        if answer.extend_session_lifespan:
            key = login_sessions.browser_key(interaction.request)
    else:
        named = UUID(taken.request["session_id"])
        session, key = login_sessions.begin(interaction.request, user=user, api=api, answer=answer, named=named)
    response = ClientRedirect(interaction.coming_back(f"{session.pk}.{taken.digest}", after_form=False))
    if key is not None:
        age = answer.remember_for if answer.remember and answer.remember_for else None
        login_sessions.set_cookie(response, key, max_age=age)
    return response


# -- Consent ----------------------------------------------------------------------------------------------------------


def consented(interaction: Interaction, api: Api, person: SignedIn, *, is_remembered: bool) -> Consented | HttpResponse:
    """Return what the API's own consent allows, or where the browser goes on.

    Raises ConsentRequired where nobody may be asked, AccessDeniedError and RejectedError.
    """
    session = person.login
    assert session is not None
    if verifier := interaction.request.GET.get("consent_verifier"):
        taken = challenges.take(
            Kind.CONSENT,
            verifier,
            browser=login_sessions.browser_key(interaction.request),
            path=interaction.url(),
        )
        if taken.session != session:
            raise AccessDeniedError("Another person has signed in since.")
        return _consented(taken, api, person, interaction)
    skip = is_remembered and "consent" not in interaction.auth_request.prompts
    if not skip and "none" in interaction.auth_request.prompts:
        raise ConsentRequired()
    asked = _asked(interaction, session) | {
        "skip": skip,
        "acr": session.acr,
        "amr": session.amr,
        "context": person.context,
        "login_challenge": person.login_challenge,
        "login_session_id": str(session.pk),
    }
    return _lead(interaction, api, Kind.CONSENT, asked, session)


def _consented(taken: Answer, api: Api, person: SignedIn, interaction: Interaction) -> Consented:
    members = taken.members
    auth_request = interaction.auth_request
    scopes = [value for value in auth_request.scopes if value in members["grant_scope"]]
    if not scopes:
        raise AccessDeniedError("None of the scopes was allowed.")
    resources = [uri for uri in auth_request.resources if uri in members["grant_access_token_audience"]]
    _set_roles(interaction, person.user, api, members["session"])
    claims = _claims_of(api, members["session"]) or person.claims
    return Consented(scopes, resources, claims, _remembered_until(taken, auth_request.client, person.user))


def _remembered_until(taken: Answer, client: Client, user: User) -> datetime | None:
    """Return until when the consent is remembered, None for good. What was skipped leaves it as it was."""
    if taken.request["skip"] and (found := Consent.objects.filter(client=client, user=user).first()) is not None:
        return found.remembered_until
    if not taken.members["remember"]:
        return clock.now()
    seconds = taken.members["remember_for"]
    return clock.now() + timedelta(seconds=seconds) if seconds else None


def _set_roles(interaction: Interaction, user: User, api: Api, session: Mapping[str, Any] | None) -> None:
    """Give the person the roles in the API that the answer names in `roles` for the access token.

    They count at the clients of the consumer alone, for which they were said, and a session without them takes them.
    """
    if session is not None and api.roles.exists():
        said = (session.get("access_token") or {}).get(ROLES, ())
        roles = ApiRole.objects.filter(api=api, value__in=said)
        place = interaction.auth_request.client.consumer
        set_roles(api=api, user=user, roles=roles, source=RoleSource.LOGIN, consumer=place, actor=SYSTEM)


def _claims_of(api: Api, session: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the claims of the answer without `roles` that are the person's in the API."""
    if not session:
        return None
    access_token, id_token = dict(session.get("access_token") or {}), dict(session.get("id_token") or {})
    if ROLES in access_token and api.roles.exists():
        del access_token[ROLES]
    return {"access_token": access_token, "id_token": id_token} if access_token or id_token else None


# -- Both -------------------------------------------------------------------------------------------------------------


def _asked(interaction: Interaction, session: LoginSession | None) -> dict[str, Any]:
    """Return what the provider's server is told of the request, in Ory's names."""
    resolved, request = interaction.resolved, interaction.auth_request
    hint = id_tokens.read_id_token(resolved["id_token_hint"]) if "id_token_hint" in resolved else None
    return {
        "requested_scope": request.scopes,
        "requested_access_token_audience": request.resources,
        "subject": session.user.subject if session is not None else "",
        "request_url": interaction.request_url,
        "oidc_context": {
            "acr_values": resolved.get("acr_values", "").split(),
            "display": resolved.get("display", ""),
            "id_token_hint_claims": hint or {},
            "login_hint": request.login_hint,
            "ui_locales": resolved.get("ui_locales", "").split(),
        },
    }


def _lead(
    interaction: Interaction, api: Api, kind: Kind, asked: Mapping[str, Any], session: LoginSession | None
) -> HttpResponse:
    """Lead the browser to the provider's page with a challenge."""
    address = api.login_url if kind == Kind.LOGIN else api.consent_url
    known = login_sessions.browser_key(interaction.request)
    key = known or login_sessions.new_key()
    chosen = interaction.flow.chosen if interaction.flow is not None else ""
    challenge = challenges.create(
        kind,
        api=api,
        client=interaction.auth_request.client,
        browser=key,
        session=session,
        request=dict(asked) | {"return_url": public_url(interaction.coming_back(chosen, after_form=False))},
        ip=caller_ip(interaction.request),
    )
    response = leave(
        interaction.request, challenges.url_with(address, kind, challenge), after_form=interaction.after_form
    )
    if not known:
        login_sessions.set_cookie(response, key)
    return response
