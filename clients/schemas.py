"""The JSON Schema of client documents: the 51 members of Ory's client API, and the portal's own."""

from typing import Any

from clients.metadata import field_names
from clients.policy.texts import (
    LOCALIZABLE,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_OWNER,
    MAX_SOFTWARE_ID,
    MAX_SOFTWARE_VERSION,
)
from clients.policy.tokens import MAX_AGE, MAX_GRACE, MAX_LIFESPAN
from clients.vocabulary import LIFESPANS, ApplicationType, AuthMethod, EnvironmentType, GrantType, TokenStrategy
from core.jose.algorithms import ALGORITHMS, SigningAlgorithm

# Members of Ory's client that have no effect here, with the values that are accepted; GET returns the first.
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "frontchannel_logout_uri": ("",),
    "frontchannel_logout_session_required": (False,),
    "request_uris": ([],),
    "request_object_signing_alg": ("", "none", "RS256"),  # Ory's CLI sends the last by default
    "sector_identifier_uri": ("",),
    "subject_type": ("public", ""),
    "implicit_grant_access_token_lifespan": (None, ""),
    "implicit_grant_id_token_lifespan": (None, ""),
    "jwt_bearer_grant_access_token_lifespan": (None, ""),
}
# Members that the portal sets; ignored in PUT, so that a document of GET can be sent back.
READ_ONLY = (
    *("client_id", "consumer", "created_at", "updated_at", "client_secret_expires_at"),
    *("registration_access_token", "registration_client_uri", "disabled", "last_used_at", "expires_at", "claims"),
)
OPERATOR_ONLY = ("skip_consent", "skip_logout_consent")
# Fields of ClientMetadata that are several members of a document.
MULTI_MEMBER_FIELDS = ("lifespans", "localized")
WRITABLE = (*(name for name in field_names() if name not in MULTI_MEMBER_FIELDS), *LIFESPANS)


def _string(description: str, **more: Any) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description} | more


def _strings(description: str, **more: Any) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": {"type": "string"} | more, "maxItems": 100, "description": description}


def _moment(description: str) -> dict[str, Any]:
    """Describe a time that we set; empty as in any other member, so that what a program sends back is accepted."""
    return _string(description, anyOf=[{"format": "date-time"}, {"maxLength": 0}])


def _boolean(description: str) -> dict[str, Any]:
    return {"type": ["boolean", "null"], "description": description}


def _enum(values: Any, description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*values, "", None], "description": description}


def _duration(name: str) -> dict[str, Any]:
    words = name.removesuffix("_lifespan").replace("_", " ")
    if name in UNSUPPORTED:
        return _string(f"Not served; leave it null ({words}).")
    return _string(f"Lifetime, such as 1h30m or 900s; null for the default ({words}).", examples=["1h0m0s"])


CUSTOM_METADATA = {"type": "object", "description": "Any JSON that you want to keep with the client, up to 16 kB."}
MEMBERS: dict[str, dict[str, Any]] = {
    "client_id": _string("The client ID. We choose it.", examples=["cl_8fj2k3m4n5p6q7r8s9t2"]),
    "client_name": _string("The name that people see; the client ID by default.", maxLength=MAX_NAME),
    "client_secret": _string("Only in the response that created it: POST of the client, or of a rotation."),
    "client_secret_expires_at": {
        "type": ["integer", "null"],
        "description": "When all its secrets will have expired; 0: never.",
    },
    "description": _string("What it is for, for colleagues.", maxLength=MAX_DESCRIPTION),
    "consumer": _string("Short name of the consumer that it belongs to.", examples=["acme"]),
    "grant_types": _strings("Grant types; authorization_code by default.", examples=list(GrantType.values)),
    "response_types": _strings("code with authorization_code, none without; left out, what fits the grant types."),
    "token_endpoint_auth_method": _enum(AuthMethod.values, "Authentication method; client_secret_basic by default."),
    "token_endpoint_auth_signing_alg": _enum(ALGORITHMS, "Signing algorithm of its assertions."),
    "scope": _string(
        "Scopes that it may request, separated by spaces. “offline” is read as offline_access.",
        maxLength=10_000,
        examples=["shipments:read"],
    ),
    "redirect_uris": _strings("Where the browser returns after sign-in. Must match exactly."),
    "post_logout_redirect_uris": _strings("Where the browser returns after sign-out."),
    "allowed_cors_origins": _strings(
        "Origins of its pages, which may call the token endpoint: scheme, host and exact port."
    ),
    "contacts": _strings("How to reach the people responsible for it."),
    "client_uri": _string("Its website."),
    "logo_uri": _string("Its logo."),
    "policy_uri": _string("Its privacy policy."),
    "tos_uri": _string("Its terms of service."),
    "jwks": {
        "type": ["object", "null"],
        "description": "Its public keys (RFC 7517), left out when there are none. Not together with jwks_uri.",
    },
    "jwks_uri": _string("URL of its public keys."),
    "access_token_strategy": _enum(TokenStrategy.values, "jwt (RFC 9068) by default, or opaque."),
    "audience": _strings("Further APIs that its access tokens may be for, besides those of its scopes (RFC 8707)."),
    "require_resource": _boolean("Require the resource parameter in each request (RFC 8707)."),
    "require_pushed_authorization_requests": _boolean("Require pushed authorization requests (RFC 9126)."),
    "dpop_bound_access_tokens": _boolean("Bind its access tokens to its key (RFC 9449)."),
    "refresh_token_grace": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_GRACE,
        "description": "Seconds for which a refresh token still works after it was used.",
    },
    "id_token_signed_response_alg": _enum(SigningAlgorithm.values, "Signing algorithm of its ID tokens."),
    "userinfo_signed_response_alg": _enum(
        ("none", *SigningAlgorithm.values), "none: userinfo is plain JSON; else it is a JWT, signed so."
    ),
    "application_type": _enum(ApplicationType.values, "web by default; native may use schemes of its own."),
    "default_max_age": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_AGE,
        "description": "Default max_age in seconds: people who signed in longer ago sign in again.",
    },
    "require_auth_time": _boolean("Put auth_time into each ID token."),
    "default_acr_values": _strings("Default acr_values, the best first."),
    "initiate_login_uri": _string("Where a sign-in starts: people open the app there from their list of apps."),
    "backchannel_logout_uri": _string("Where we send logout tokens."),
    "backchannel_logout_session_required": _boolean("Put sid into logout tokens."),
    "skip_consent": _boolean("Skip consent; operators set it."),
    "skip_logout_consent": _boolean("Skip the question before sign-out; operators set it."),
    "project": _string("What a workload belongs to, as its identity tokens say."),
    "deployment": _string("Which deployment of the project a workload is."),
    "environment_type": _enum(EnvironmentType.values, "Makes it a workload, which gets identity tokens."),
    "identity_token_audience": _strings("Whom its identity tokens may be for, the default first; of workloads alone."),
    "owner": _string("A free label. Whose client it is, `consumer` says.", maxLength=MAX_OWNER),
    "metadata": {"type": ["object", "null"], "description": CUSTOM_METADATA["description"]},
    "software_id": _string("Names the software, the same for all its installations.", maxLength=MAX_SOFTWARE_ID),
    "software_version": _string("Its version.", maxLength=MAX_SOFTWARE_VERSION),
    "frontchannel_logout_uri": _string("Not served; leave it empty and use backchannel_logout_uri."),
    "frontchannel_logout_session_required": _boolean("Not served; leave it false."),
    "request_uris": _strings("Not served; leave it empty and use pushed authorization requests."),
    "request_object_signing_alg": _string("Not served; leave it empty and use pushed authorization requests."),
    "sector_identifier_uri": _string("Not served; leave it empty. Subjects are public."),
    "subject_type": _string("public. Pairwise subjects are not served."),
    "registration_access_token": _string("Only in the response to a dynamic registration."),
    "registration_client_uri": _string("Only in the response to a dynamic registration."),
    "created_at": _moment("When it was created."),
    "updated_at": _moment("When it was changed last."),
    "disabled": _boolean("Whether every request of it is refused. POST to …/disable and …/enable change it."),
    "last_used_at": _moment("When it last authenticated."),
    "expires_at": _moment("When it expires, if it does."),
    "claims": {"type": ["object", "null"], "description": "Claims that operators put into its access tokens."},
} | {name: _duration(name) for name in (*LIFESPANS, *(name for name in UNSUPPORTED if name.endswith("_lifespan")))}

LIFESPAN_MEMBERS = {name: schema for name, schema in MEMBERS.items() if name.endswith("_lifespan")}
CLIENT: dict[str, Any] = {
    "title": "Client",
    "type": "object",
    "properties": MEMBERS,
    "patternProperties": {f"^({'|'.join(LOCALIZABLE)})#": _string("The member in the language that its tag names.")},
    "additionalProperties": False,
}
LIFETIMES: dict[str, Any] = {
    "title": "Lifetimes",
    "type": "object",
    "properties": LIFESPAN_MEMBERS,
    "additionalProperties": False,
    "description": f"Each at most {MAX_LIFESPAN // 86400} days, and no longer than the API and the consumer allow.",
}
CLIENT_EXAMPLE: dict[str, Any] = {
    "client_name": "Billing sync",
    "grant_types": ["client_credentials"],
    "scope": "shipments:read",
    "token_endpoint_auth_method": "client_secret_basic",
}
