"""Auth0's applications, as its management API lists them."""

from clientdesk.foreign.carried import (
    SECRET,
    Carried,
    Document,
    exact,
    objects,
    seconds,
    settle_grants,
    texts,
    without_nothing,
)

LEFT = ("addons", "mobile", "native_social_login", "allowed_clients", "encryption_key")


def auth0(client: Document) -> Carried:
    carried = Carried(str(client.get("client_id", "")), {"client_name": str(client.get("name") or "")})
    document, lost = carried.document, carried.lost
    document["description"] = client.get("description")
    document["grant_types"] = texts(client.get("grant_types"))
    settle_grants(carried)
    document["token_endpoint_auth_method"] = method(client, lost)
    if "authorization_code" in document["grant_types"]:
        document["redirect_uris"] = list(exact(client.get("callbacks"), "redirect URI", lost))
        document["post_logout_redirect_uris"] = list(exact(client.get("allowed_logout_urls"), "logout address", lost))
    if document["token_endpoint_auth_method"] == "none":
        origins = client.get("allowed_origins") or client.get("web_origins")
        document["allowed_cors_origins"] = list(exact(origins, "origin", lost))
    document["application_type"] = "native" if client.get("app_type") == "native" else "web"
    for member in ("logo_uri", "initiate_login_uri"):
        document[member] = client.get(member)
    document["metadata"] = objects(client.get("client_metadata"))
    document["dpop_bound_access_tokens"] = client.get("require_proof_of_possession") is True
    document["require_pushed_authorization_requests"] = client.get("require_pushed_authorization_requests") is True
    scope(carried)
    lifetimes(client, carried)
    logout(client, carried)
    if client.get("client_secret"):
        lost.append(SECRET)
    lost += [f"{member}: there is nothing like it here" for member in LEFT if client.get(member)]
    return without_nothing(carried)


def method(client: Document, lost: list[str]) -> str:
    if objects(client.get("client_authentication_methods")):
        lost.append("its keys: the export has none, so it gets a secret until you register them")
        return "client_secret_basic"
    named = client.get("token_endpoint_auth_method")
    return str(named or ("none" if client.get("app_type") in ("spa", "native") else "client_secret_basic"))


def scope(carried: Carried) -> None:
    """Say what its permissions are: Auth0 keeps them apart from the client, in grants for each API."""
    grants = carried.document["grant_types"]
    if "authorization_code" in grants or any(grant.endswith("device_code") for grant in grants):
        stays = ["offline_access"] if "refresh_token" in grants else []
        carried.document["scope"] = " ".join(["openid", "profile", "email", *stays])
    if carried.is_client:
        carried.lost.append("permissions of APIs: this export has none; give them with --scope")


def lifetimes(client: Document, carried: Carried) -> None:
    document, refresh = carried.document, objects(client.get("refresh_token"))
    if "authorization_code" in document["grant_types"]:
        lifetime = objects(client.get("jwt_configuration")).get("lifetime_in_seconds")
        document["authorization_code_grant_id_token_lifespan"] = seconds(lifetime)
    if "refresh_token" in document["grant_types"]:
        if not refresh.get("infinite_token_lifetime") and refresh.get("expiration_type") == "expiring":
            document["refresh_token_grant_refresh_token_lifespan"] = seconds(refresh.get("token_lifetime"))
        if refresh.get("rotation_type") == "non-rotating":
            carried.lost.append("refresh tokens that stay the same: each works once here")


def logout(client: Document, carried: Carried) -> None:
    told = objects(client.get("oidc_logout") or client.get("oidc_backchannel_logout"))
    urls = texts(told.get("backchannel_logout_urls"))
    if urls and "authorization_code" in carried.document["grant_types"]:
        carried.document["backchannel_logout_uri"] = urls[0]
        if len(urls) > 1:
            carried.lost.append("back-channel logout addresses but the first")
