"""Read Auth0's applications, as its Management API lists them."""

from clientdesk.importers.imported_client import (
    SECRET_NOT_IMPORTED,
    Document,
    ImportedClient,
    duration_of_seconds,
    exact_uris,
    json_object,
    keep_supported_grants,
    string_list,
    without_empty_members,
)

_UNSUPPORTED = ("addons", "mobile", "native_social_login", "allowed_clients", "encryption_key")


def read_auth0_client(client: Document) -> ImportedClient:
    imported = ImportedClient(str(client.get("client_id", "")), {"client_name": str(client.get("name") or "")})
    metadata, not_imported = imported.metadata, imported.not_imported
    metadata["description"] = client.get("description")
    metadata["grant_types"] = string_list(client.get("grant_types"))
    keep_supported_grants(imported)
    metadata["token_endpoint_auth_method"] = _auth_method(client, not_imported)
    if "authorization_code" in metadata["grant_types"]:
        metadata["redirect_uris"] = list(exact_uris(client.get("callbacks"), "redirect URI", not_imported))
        metadata["post_logout_redirect_uris"] = list(
            exact_uris(client.get("allowed_logout_urls"), "post-logout redirect URI", not_imported)
        )
    if metadata["token_endpoint_auth_method"] == "none":
        origins = client.get("allowed_origins") or client.get("web_origins")
        metadata["allowed_cors_origins"] = list(exact_uris(origins, "origin", not_imported))
    metadata["application_type"] = "native" if client.get("app_type") == "native" else "web"
    for member in ("logo_uri", "initiate_login_uri"):
        metadata[member] = client.get(member)
    metadata["metadata"] = json_object(client.get("client_metadata"))
    metadata["dpop_bound_access_tokens"] = client.get("require_proof_of_possession") is True
    metadata["require_pushed_authorization_requests"] = client.get("require_pushed_authorization_requests") is True
    _set_scope(imported)
    _set_lifetimes(client, imported)
    _set_logout(client, imported)
    if client.get("client_secret"):
        not_imported.append(SECRET_NOT_IMPORTED)
    not_imported += [f"{member}: not supported" for member in _UNSUPPORTED if client.get(member)]
    return without_empty_members(imported)


def _auth_method(client: Document, not_imported: list[str]) -> str:
    if json_object(client.get("client_authentication_methods")):
        not_imported.append("its keys: the export holds none, so it gets a secret until you register them")
        return "client_secret_basic"
    named = client.get("token_endpoint_auth_method")
    return str(named or ("none" if client.get("app_type") in ("spa", "native") else "client_secret_basic"))


def _set_scope(imported: ImportedClient) -> None:
    """Set the identity scopes. Auth0 keeps the scopes of APIs apart from the client, in client grants."""
    grants = imported.metadata["grant_types"]
    if "authorization_code" in grants or any(grant.endswith("device_code") for grant in grants):
        stays = ["offline_access"] if "refresh_token" in grants else []
        imported.metadata["scope"] = " ".join(["openid", "profile", "email", *stays])
    if imported.is_client:
        imported.not_imported.append("scopes of APIs: the export holds none; set them with --scope")


def _set_lifetimes(client: Document, imported: ImportedClient) -> None:
    metadata, refresh = imported.metadata, json_object(client.get("refresh_token"))
    if "authorization_code" in metadata["grant_types"]:
        lifetime = json_object(client.get("jwt_configuration")).get("lifetime_in_seconds")
        metadata["authorization_code_grant_id_token_lifespan"] = duration_of_seconds(lifetime)
    if "refresh_token" in metadata["grant_types"]:
        if not refresh.get("infinite_token_lifetime") and refresh.get("expiration_type") == "expiring":
            metadata["refresh_token_grant_refresh_token_lifespan"] = duration_of_seconds(refresh.get("token_lifetime"))
        if refresh.get("rotation_type") == "non-rotating":
            imported.not_imported.append("non-rotating refresh tokens: each can be used once")


def _set_logout(client: Document, imported: ImportedClient) -> None:
    logout = json_object(client.get("oidc_logout") or client.get("oidc_backchannel_logout"))
    urls = string_list(logout.get("backchannel_logout_urls"))
    if urls and "authorization_code" in imported.metadata["grant_types"]:
        imported.metadata["backchannel_logout_uri"] = urls[0]
        if len(urls) > 1:
            imported.not_imported.append("back-channel logout URLs but the first")
