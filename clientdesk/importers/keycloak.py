"""Read Keycloak's clients, from a realm's export or one by one."""

from typing import Any

from clientdesk.errors import CommandError
from clientdesk.importers.imported_client import (
    DEVICE_CODE,
    IDENTITY_SCOPES,
    SECRET_NOT_IMPORTED,
    Document,
    ImportedClient,
    drop_identity_scopes,
    duration_of_seconds,
    exact_uris,
    json_object,
    origins,
    string_list,
    without_empty_members,
)
from clientdesk.input import parse_json

_BUILT_IN = {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
_AUTH_METHODS = {"client-secret": "client_secret_basic", "client-jwt": "private_key_jwt"}
# Client scopes of every realm: they stand for claims, not for scopes of an API.
_BUILT_IN_SCOPES = {
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
_ATTRIBUTES = {
    "backchannel_logout_uri": "backchannel.logout.url",
    "logo_uri": "logoUri",
    "policy_uri": "policyUri",
    "tos_uri": "tosUri",
    "token_endpoint_auth_signing_alg": "token.endpoint.auth.signing.alg",
}
_BOOLEAN_ATTRIBUTES = {
    "backchannel_logout_session_required": "backchannel.logout.session.required",
    "require_pushed_authorization_requests": "require.pushed.authorization.requests",
    "dpop_bound_access_tokens": "dpop.bound.access.tokens",
}
_UNSUPPORTED = {
    "protocolMappers": "protocol mappers: an operator can set claims of the client",
    "frontchannel.logout.url": "front-channel logout: use back-channel logout",
}


def is_built_in(client: Document) -> bool:
    """Return whether every realm has this client: the consoles, and a client for each realm in the master realm."""
    name = str(client.get("clientId"))
    return name in _BUILT_IN or (name.endswith("-realm") and bool(client.get("bearerOnly")))


def read_keycloak_client(client: Document) -> ImportedClient:
    name = str(client.get("clientId", ""))
    imported = ImportedClient(name, {"client_name": str(client.get("name") or name)})
    if client.get("protocol") == "saml":
        return _not_a_client(imported, "it uses SAML")
    if client.get("bearerOnly"):
        return _not_a_client(imported, "it is a resource server; an operator can add it as an API")
    attributes = json_object(client.get("attributes"))
    metadata, not_imported = imported.metadata, imported.not_imported
    metadata["description"] = client.get("description")
    metadata["grant_types"] = _grant_types(client, attributes, not_imported)
    if not metadata["grant_types"]:
        return _not_a_client(imported, "none of its grants is supported")
    metadata["token_endpoint_auth_method"] = _auth_method(client, not_imported)
    _set_uris(client, attributes, imported)
    _set_scope(client, imported)
    metadata |= {member: attributes.get(attribute) for member, attribute in _ATTRIBUTES.items()}
    metadata |= {member: True for member, attribute in _BOOLEAN_ATTRIBUTES.items() if _is_true(attributes, attribute)}
    _set_keys(attributes, imported)
    lifetime = duration_of_seconds(attributes.get("access.token.lifespan"))
    for grant in metadata["grant_types"]:
        if grant in ("authorization_code", "client_credentials"):
            metadata[f"{grant}_grant_access_token_lifespan"] = lifetime
    if client.get("secret"):
        not_imported.append(SECRET_NOT_IMPORTED)
    not_imported += [
        sentence for member, sentence in _UNSUPPORTED.items() if client.get(member) or attributes.get(member)
    ]
    if client.get("enabled") is False:
        not_imported.append("the client was disabled: disable it here too")
    return without_empty_members(imported)


def _not_a_client(imported: ImportedClient, why: str) -> ImportedClient:
    imported.is_client = False
    imported.not_imported.append(f"the client: {why}")
    return imported


def _is_true(attributes: Document, name: str) -> bool:
    return str(attributes.get(name)).lower() == "true"


def _grant_types(client: Document, attributes: Document, not_imported: list[str]) -> list[str]:
    if client.get("implicitFlowEnabled"):
        not_imported.append("implicit: this grant is not supported; use authorization_code with PKCE")
    if client.get("directAccessGrantsEnabled"):
        not_imported.append("password: this grant is not supported; let people sign in with authorization_code")
    signs_in = client.get("standardFlowEnabled", True)
    device = _is_true(attributes, "oauth2.device.authorization.grant.enabled")
    return [
        *(["authorization_code"] if signs_in else []),
        *([DEVICE_CODE] if device else []),
        *(["refresh_token"] if signs_in or device else []),
        *(["client_credentials"] if client.get("serviceAccountsEnabled") else []),
    ]


def _auth_method(client: Document, not_imported: list[str]) -> str:
    if client.get("publicClient"):
        return "none"
    named = str(client.get("clientAuthenticatorType") or "client-secret")
    if named not in _AUTH_METHODS:
        not_imported.append(f"authentication by {named}: it gets a secret")
    return _AUTH_METHODS.get(named, "client_secret_basic")


def _set_uris(client: Document, attributes: Document, imported: ImportedClient) -> None:
    metadata, not_imported = imported.metadata, imported.not_imported
    root = str(client.get("rootUrl") or "").rstrip("/")
    base = str(client.get("baseUrl") or "")
    metadata["client_uri"] = next((each for each in (f"{root}{base}", base, root) if each.startswith("https://")), None)
    if "authorization_code" not in metadata["grant_types"]:
        return
    metadata["redirect_uris"] = list(exact_uris(client.get("redirectUris"), "redirect URI", not_imported, root))
    leave = str(attributes.get("post.logout.redirect.uris") or "").split("##")
    named = [each for each in leave if each not in ("", "+", "-")]
    same = metadata["redirect_uris"] if "+" in leave else []  # “+” stands for the redirect URIs
    metadata["post_logout_redirect_uris"] = [*same, *exact_uris(named, "post-logout redirect URI", not_imported, root)]
    if not client.get("publicClient"):  # only pages that call the token endpoint themselves need CORS
        return
    wanted = string_list(client.get("webOrigins"))
    same = origins(metadata["redirect_uris"]) if "+" in wanted else []
    others = exact_uris([each for each in wanted if each != "+"], "origin", not_imported)
    metadata["allowed_cors_origins"] = list(dict.fromkeys([*same, *others]))


def _set_scope(client: Document, imported: ImportedClient) -> None:
    named = [*string_list(client.get("defaultClientScopes")), *string_list(client.get("optionalClientScopes"))]
    left = sorted(_BUILT_IN_SCOPES.intersection(named))
    if left:
        imported.not_imported.append(f"client scopes that are not scopes here: {', '.join(left)}")
    signs_in = {"authorization_code", DEVICE_CODE}.intersection(imported.metadata["grant_types"])
    kept = [*(["openid"] if signs_in else []), *(each for each in named if each not in _BUILT_IN_SCOPES)]
    imported.metadata["scope"] = " ".join(dict.fromkeys(kept))
    if not signs_in:
        drop_identity_scopes(imported)
    elif not set(kept) - set(IDENTITY_SCOPES):
        imported.not_imported.append("scopes of APIs: it has none; set them with --scope")


def _set_keys(attributes: Document, imported: ImportedClient) -> None:
    """Import the public keys; a certificate alone is not a JWKS."""
    metadata = imported.metadata
    if _is_true(attributes, "use.jwks.url"):
        metadata["jwks_uri"] = attributes.get("jwks.url")
    elif _is_true(attributes, "use.jwks.string"):
        metadata["jwks"] = _parse_jwks(attributes.get("jwks.string"))
    if metadata["token_endpoint_auth_method"] == "private_key_jwt" and not (
        metadata.get("jwks") or metadata.get("jwks_uri")
    ):
        metadata["token_endpoint_auth_method"] = "client_secret_basic"
        imported.not_imported.append("its keys: the export holds no JWKS, so it gets a secret until you register them")


def _parse_jwks(text: Any) -> Any:
    try:
        return parse_json(str(text), "JWKS")
    except CommandError:
        return None
