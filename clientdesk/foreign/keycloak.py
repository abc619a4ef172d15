"""Keycloak's clients, from a realm's export or one by one."""

from typing import Any

from clientdesk.foreign.carried import (
    DEVICE,
    IDENTITY,
    SECRET,
    Carried,
    Document,
    exact,
    objects,
    origins,
    seconds,
    settle_scope,
    texts,
    without_nothing,
)
from clientdesk.problems import Problem
from clientdesk.reading import parse

OWN = {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
METHODS = {"client-secret": "client_secret_basic", "client-jwt": "private_key_jwt"}
# Every realm has these; they stand for claims and for what tokens hold, not for permissions of an API.
OWN_SCOPES = {
    *(
        "web-origins",
        "acr",
        "roles",
        "basic",
        "address",
        "phone",
        "microprofile-jwt",
        "organization",
        "service_account",
    ),
    "role_list",
}
ATTRIBUTES = {
    "backchannel_logout_uri": "backchannel.logout.url",
    "logo_uri": "logoUri",
    "policy_uri": "policyUri",
    "tos_uri": "tosUri",
    "token_endpoint_auth_signing_alg": "token.endpoint.auth.signing.alg",
}
SWITCHES = {
    "backchannel_logout_session_required": "backchannel.logout.session.required",
    "require_pushed_authorization_requests": "require.pushed.authorization.requests",
    "dpop_bound_access_tokens": "dpop.bound.access.tokens",
}
LEFT = {
    "protocolMappers": "protocol mappers: an operator sets claims of the client",
    "frontchannel.logout.url": "front-channel logout: use back-channel logout",
}


def built_in(client: Document) -> bool:
    """Say whether every realm has it: the consoles, and what stands for a realm in the master realm."""
    name = str(client.get("clientId"))
    return name in OWN or (name.endswith("-realm") and bool(client.get("bearerOnly")))


def keycloak(client: Document) -> Carried:
    name = str(client.get("clientId", ""))
    carried = Carried(name, {"client_name": str(client.get("name") or name)})
    if client.get("protocol") == "saml":
        return none_here(carried, "it speaks SAML")
    if client.get("bearerOnly"):
        return none_here(carried, "it is an API that gets tokens, no client; an operator describes it as an API")
    attributes = objects(client.get("attributes"))
    document, lost = carried.document, carried.lost
    document["description"] = client.get("description")
    document["grant_types"] = grants(client, attributes, lost)
    if not document["grant_types"]:
        return none_here(carried, "no grant is left")
    document["token_endpoint_auth_method"] = method(client, lost)
    addresses(client, attributes, carried)
    scope(client, carried)
    document |= {member: attributes.get(attribute) for member, attribute in ATTRIBUTES.items()}
    document |= {member: True for member, attribute in SWITCHES.items() if is_on(attributes, attribute)}
    keys(attributes, carried)
    lifetime = seconds(attributes.get("access.token.lifespan"))
    for grant in document["grant_types"]:
        if grant in ("authorization_code", "client_credentials"):
            document[f"{grant}_grant_access_token_lifespan"] = lifetime
    if client.get("secret"):
        lost.append(SECRET)
    lost += [sentence for member, sentence in LEFT.items() if client.get(member) or attributes.get(member)]
    if client.get("enabled") is False:
        lost.append("it was disabled: disable it here too")
    return without_nothing(carried)


def none_here(carried: Carried, why: str) -> Carried:
    carried.is_client = False
    carried.lost.append(f"all of it: {why}")
    return carried


def is_on(attributes: Document, name: str) -> bool:
    return str(attributes.get(name)).lower() == "true"


def grants(client: Document, attributes: Document, lost: list[str]) -> list[str]:
    if client.get("implicitFlowEnabled"):
        lost.append("implicit: this grant is not offered; use authorization_code with PKCE")
    if client.get("directAccessGrantsEnabled"):
        lost.append("password: this grant is not offered; let people sign in with authorization_code")
    signs_in = client.get("standardFlowEnabled", True)
    device = is_on(attributes, "oauth2.device.authorization.grant.enabled")
    return [
        *(["authorization_code"] if signs_in else []),
        *([DEVICE] if device else []),
        *(["refresh_token"] if signs_in or device else []),
        *(["client_credentials"] if client.get("serviceAccountsEnabled") else []),
    ]


def method(client: Document, lost: list[str]) -> str:
    if client.get("publicClient"):
        return "none"
    named = str(client.get("clientAuthenticatorType") or "client-secret")
    if named not in METHODS:
        lost.append(f"authentication by {named}: it gets a secret")
    return METHODS.get(named, "client_secret_basic")


def addresses(client: Document, attributes: Document, carried: Carried) -> None:
    document, lost = carried.document, carried.lost
    root = str(client.get("rootUrl") or "").rstrip("/")
    base = str(client.get("baseUrl") or "")
    document["client_uri"] = next((each for each in (f"{root}{base}", base, root) if each.startswith("https://")), None)
    if "authorization_code" not in document["grant_types"]:
        return
    document["redirect_uris"] = list(exact(client.get("redirectUris"), "redirect URI", lost, root))
    leave = str(attributes.get("post.logout.redirect.uris") or "").split("##")
    named = [each for each in leave if each not in ("", "+", "-")]
    same = document["redirect_uris"] if "+" in leave else []  # “+” stands for the redirect URIs
    document["post_logout_redirect_uris"] = [*same, *exact(named, "logout address", lost, root)]
    if not client.get("publicClient"):  # origins matter to pages that call the token endpoint themselves
        return
    wanted = texts(client.get("webOrigins"))
    same = origins(document["redirect_uris"]) if "+" in wanted else []
    others = exact([each for each in wanted if each != "+"], "origin", lost)
    document["allowed_cors_origins"] = list(dict.fromkeys([*same, *others]))


def scope(client: Document, carried: Carried) -> None:
    named = [*texts(client.get("defaultClientScopes")), *texts(client.get("optionalClientScopes"))]
    left = sorted(OWN_SCOPES.intersection(named))
    if left:
        carried.lost.append(f"client scopes that are no permissions here: {', '.join(left)}")
    signs_in = {"authorization_code", DEVICE}.intersection(carried.document["grant_types"])
    kept = [*(["openid"] if signs_in else []), *(each for each in named if each not in OWN_SCOPES)]
    carried.document["scope"] = " ".join(dict.fromkeys(kept))
    if not signs_in:
        settle_scope(carried)
    elif not set(kept) - set(IDENTITY):
        carried.lost.append("permissions of APIs: it named none; give them with --scope")


def keys(attributes: Document, carried: Carried) -> None:
    """Carry the public keys; a certificate alone is no JWKS."""
    document = carried.document
    if is_on(attributes, "use.jwks.url"):
        document["jwks_uri"] = attributes.get("jwks.url")
    elif is_on(attributes, "use.jwks.string"):
        document["jwks"] = read_keys(attributes.get("jwks.string"))
    if document["token_endpoint_auth_method"] == "private_key_jwt" and not (
        document.get("jwks") or document.get("jwks_uri")
    ):
        document["token_endpoint_auth_method"] = "client_secret_basic"
        carried.lost.append("its keys: the export has no JWKS, so it gets a secret until you register them")


def read_keys(text: Any) -> Any:
    try:
        return parse(str(text), "JWKS")
    except Problem:
        return None
