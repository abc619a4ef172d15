"""Clients as other systems export them, told in RFC 7591's names, and what of them can't be carried over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.terminal.problems import USAGE, Problem

Document = dict[str, Any]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Carried:
    """One client: where it was called what, its metadata here, and what was left behind and why."""

    former_id: str
    document: Document
    lost: list[str] = field(default_factory=list)


def read(found: Any) -> list[Carried]:
    """Return the clients of an export of Hydra, Keycloak, Auth0 or Clientdesk. Raises Problem for anything else."""
    if (
        isinstance(found, dict)
        and isinstance(found.get("clients"), list)
        and ("realm" in found or "keycloakVersion" in found)
    ):
        return [keycloak(each) for each in objects(found["clients"]) if not built_in(each)]
    if isinstance(found, dict):
        found = found.get("items", found.get("clients", [found]))
    clients = objects(found)
    if not clients:
        raise Problem("The file holds no client.", USAGE)
    return [reader_of(each)(each) for each in clients]


def objects(found: Any) -> list[Document]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Problem("The file is no list of clients.", USAGE)
    return found


def reader_of(client: Document) -> Callable[[Document], Carried]:
    if "clientId" in client:
        return keycloak
    if "app_type" in client or "callbacks" in client:
        return auth0
    return hydra


# -- Ory Hydra, and Clientdesk itself ---------------------------------------------------------------------------------

# Set by the server, and neither carried nor worth a word.
SERVERS_OWN = (
    "client_id",
    "created_at",
    "updated_at",
    "registration_client_uri",
    "consumer",
    "client_secret_expires_at",
)
NOT_OFFERED = {
    "frontchannel_logout_uri": "front-channel logout is not offered; use back-channel logout",
    "sector_identifier_uri": "subjects are public, so there is no sector",
    "request_uris": "request objects by reference are not offered; use pushed authorization requests",
    "registration_access_token": "registration access tokens can't be carried",
}
GONE_GRANTS = {
    "implicit": "the implicit grant is not offered; use authorization_code with PKCE",
    "password": "the password grant is not offered",
}


def hydra(client: Document) -> Carried:
    carried = Carried(str(client.get("client_id", "")), {})
    for member, value in client.items():
        if member in SERVERS_OWN or value in (None, "", [], {}):
            continue
        if member == "client_secret":
            carried.lost.append("the secret: a new one is made, and shown once")
        elif member in NOT_OFFERED:
            carried.lost.append(f"{member}: {NOT_OFFERED[member]}")
        else:
            carried.document[member] = value
    settle_grants(carried)
    if carried.document.get("subject_type") == "pairwise":
        carried.document.pop("subject_type")
        carried.lost.append("subject_type: subjects are public here")
    for member in [name for name in carried.document if name.startswith(("frontchannel_", "implicit_"))]:
        carried.document.pop(member)
    return carried


def settle_grants(carried: Carried) -> None:
    """Leave out the grants and response types that no server should offer any more (RFC 9700 section 2.1.2)."""
    grants = carried.document.get("grant_types", [])
    for grant in [each for each in grants if each in GONE_GRANTS]:
        carried.lost.append(f"{grant}: {GONE_GRANTS[grant]}")
    kept = [each for each in grants if each not in GONE_GRANTS]
    if grants:
        carried.document["grant_types"] = kept
    wanted = carried.document.get("response_types", [])
    if any(each != "code" for each in wanted):
        carried.lost.append("response types other than code")
    if wanted:
        carried.document["response_types"] = ["code"] if "authorization_code" in kept else []


# -- Keycloak ---------------------------------------------------------------------------------------------------------

KEYCLOAKS_OWN = {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
KEYCLOAK_METHODS = {"client-secret": "client_secret_basic", "client-jwt": "private_key_jwt"}


def built_in(client: Document) -> bool:
    return client.get("clientId") in KEYCLOAKS_OWN


def keycloak(client: Document) -> Carried:
    attributes = client.get("attributes") or {}
    carried = Carried(
        str(client.get("clientId", "")), {"client_name": str(client.get("name") or client.get("clientId") or "")}
    )
    document, lost = carried.document, carried.lost
    grants = [
        *(["authorization_code", "refresh_token"] if client.get("standardFlowEnabled", True) else []),
        *(["client_credentials"] if client.get("serviceAccountsEnabled") else []),
        *([DEVICE] if str(attributes.get("oauth2.device.authorization.grant.enabled")).lower() == "true" else []),
    ]
    if client.get("implicitFlowEnabled"):
        lost.append(f"implicit: {GONE_GRANTS['implicit']}")
    if client.get("directAccessGrantsEnabled"):
        lost.append(f"password: {GONE_GRANTS['password']}")
    document["grant_types"] = grants
    document["response_types"] = ["code"] if "authorization_code" in grants else []
    document["token_endpoint_auth_method"] = keycloak_method(client, lost)
    root = str(client.get("rootUrl") or "").rstrip("/")
    if "authorization_code" in grants:
        document["redirect_uris"] = list(exact(client.get("redirectUris") or [], root, "redirect URI", lost))
        leave = str(attributes.get("post.logout.redirect.uris") or "").split("##")
        document["post_logout_redirect_uris"] = list(
            exact([each for each in leave if each not in ("", "+", "-")], root, "logout address", lost)
        )
    document["allowed_cors_origins"] = list(
        exact([each for each in client.get("webOrigins") or [] if each != "+"], "", "origin", lost)
    )
    document["scope"] = " ".join(
        dict.fromkeys([*(client.get("defaultClientScopes") or []), *(client.get("optionalClientScopes") or [])])
    )
    for member, attribute in {
        "jwks_uri": "jwks.url",
        "backchannel_logout_uri": "backchannel.logout.url",
        "logo_uri": "logoUri",
        "policy_uri": "policyUri",
        "tos_uri": "tosUri",
    }.items():
        if attributes.get(attribute):
            document[member] = attributes[attribute]
    if client.get("secret"):
        lost.append("the secret: a new one is made, and shown once")
    if client.get("protocolMappers"):
        lost.append("protocol mappers: an operator sets claims of the client")
    if client.get("enabled") is False:
        lost.append("it was disabled: disable it here too")
    return without_nothing(carried)


def keycloak_method(client: Document, lost: list[str]) -> str:
    if client.get("publicClient"):
        return "none"
    method = str(client.get("clientAuthenticatorType") or "client-secret")
    if method not in KEYCLOAK_METHODS:
        lost.append(f"authentication by {method}: it gets a secret")
    return KEYCLOAK_METHODS.get(method, "client_secret_basic")


def exact(addresses: list[str], root: str, what: str, lost: list[str]) -> Iterator[str]:
    """Yield the addresses without wildcards; redirects match exactly (RFC 9700 section 2.1)."""
    for address in addresses:
        full = f"{root}{address}" if address.startswith("/") and root else address
        if "*" in full or "://" not in full:
            lost.append(f"{what} {address}: only exact, absolute addresses are kept")
        else:
            yield full


# -- Auth0 ------------------------------------------------------------------------------------------------------------


def auth0(client: Document) -> Carried:
    carried = Carried(str(client.get("client_id", "")), {"client_name": str(client.get("name") or "")})
    document, lost = carried.document, carried.lost
    document["grant_types"] = list(client.get("grant_types") or [])
    for grant in [each for each in document["grant_types"] if each.startswith("http://auth0.com/")]:
        document["grant_types"].remove(grant)
        lost.append(f"{grant}: a grant of its own making")
    if "authorization_code" in document["grant_types"]:
        document["response_types"] = ["code"]
        document["redirect_uris"] = list(exact(client.get("callbacks") or [], "", "redirect URI", lost))
        document["post_logout_redirect_uris"] = list(
            exact(client.get("allowed_logout_urls") or [], "", "logout address", lost)
        )
    document["token_endpoint_auth_method"] = client.get("token_endpoint_auth_method") or (
        "none" if client.get("app_type") in ("spa", "native") else "client_secret_basic"
    )
    document["allowed_cors_origins"] = list(
        exact(client.get("allowed_origins") or client.get("web_origins") or [], "", "origin", lost)
    )
    document["application_type"] = "native" if client.get("app_type") == "native" else "web"
    for member in ("logo_uri", "initiate_login_uri"):
        document[member] = client.get(member)
    urls = (client.get("oidc_logout") or client.get("oidc_backchannel_logout") or {}).get(
        "backchannel_logout_urls"
    ) or []
    document["backchannel_logout_uri"] = urls[0] if urls else None
    if len(urls) > 1:
        lost.append("back-channel logout addresses but the first")
    if client.get("client_secret"):
        lost.append("the secret: a new one is made, and shown once")
    for member in ("addons", "mobile", "native_social_login"):
        if client.get(member):
            lost.append(f"{member}: there is nothing like it here")
    settle_grants(carried)
    return without_nothing(carried)


def without_nothing(carried: Carried) -> Carried:
    carried.document = {name: value for name, value in carried.document.items() if value not in (None, "", [])}
    return carried
