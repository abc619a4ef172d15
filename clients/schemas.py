"""What a client looks like on the wire: Ory's 51 properties and ours, each read, kept and given back, or refused."""

from typing import Any

from clients.metadata import names
from clients.policy.texts import LOCALIZABLE
from clients.policy.tokens import LONGEST, MAX_AGE, MAX_GRACE
from clients.vocabulary import LIFESPANS, ApplicationType, AuthMethod, EnvironmentType, GrantType, TokenStrategy
from core.jose.algorithms import SigningAlgorithm
from core.jose.jwk import ALGORITHMS

# Members of Ory's client that have no effect here: what each may hold all the same, the first of them given back.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "frontchannel_logout_uri": ("",),
    "frontchannel_logout_session_required": (False,),
    "request_uris": ([],),
    "request_object_signing_alg": ("", "none", "RS256"),  # the last is what Ory's own program sends unasked
    "sector_identifier_uri": ("",),
    "subject_type": ("public", ""),
    "implicit_grant_access_token_lifespan": (None, ""),
    "implicit_grant_id_token_lifespan": (None, ""),
    "jwt_bearer_grant_access_token_lifespan": (None, ""),
}
# Set by us; ignored where a whole client is sent back, so that what GET returns can be PUT.
READ_ONLY = (
    *("client_id", "consumer", "created_at", "updated_at", "client_secret_expires_at"),
    *("registration_access_token", "registration_client_uri", "disabled", "last_used_at", "expires_at", "claims"),
)
TRUST = ("skip_consent", "skip_logout_consent")  # an operator's to set
# Where one metadata field has several members on the wire.
SPREAD = ("lifespans", "localized")
WRITABLE = (*(name for name in names() if name not in SPREAD), *LIFESPANS)


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description} | more


def _texts(description: str, **more: Any) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": {"type": "string"} | more, "maxItems": 100, "description": description}


def _flag(description: str) -> dict[str, Any]:
    return {"type": ["boolean", "null"], "description": description}


def _choice(values: Any, description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*values, "", None], "description": description}


def _duration(name: str) -> dict[str, Any]:
    words = name.removesuffix("_lifespan").replace("_", " ")
    if name in NEUTRAL:
        return _text(f"Not served; leave it null ({words}).")
    return _text(f"How long it lives, such as 1h30m or 900s; null for the default ({words}).", examples=["1h0m0s"])


OTHERS_KEEP = {"type": "object", "description": "Any JSON that you want to keep with the client, up to 16 kB."}
MEMBERS: dict[str, dict[str, Any]] = {
    "client_id": _text("The client's name on the wire. We choose it.", examples=["cl_8fj2k3m4n5p6q7r8s9t2"]),
    "client_name": _text("What people read. Left out, they read the client ID.", maxLength=100),
    "client_secret": _text("In the answer that made it alone: POST of the client, or of a rotation."),
    "client_secret_expires_at": {
        "type": ["integer", "null"],
        "description": "When all its secrets will have ended; 0: never.",
    },
    "description": _text("What it is for, for colleagues.", maxLength=1000),
    "consumer": _text("Short name of the consumer that it belongs to.", examples=["acme"]),
    "grant_types": _texts("How it gets tokens; authorization_code when left out.", examples=list(GrantType.values)),
    "response_types": _texts("code with authorization_code, none without; left out, what fits the grant types."),
    "token_endpoint_auth_method": _choice(
        AuthMethod.values, "How it proves who it is; client_secret_basic by default."
    ),
    "token_endpoint_auth_signing_alg": _choice(ALGORITHMS, "What its assertions are signed with."),
    "scope": _text(
        "What it may ask for, values parted by spaces. “offline” is read as offline_access.",
        maxLength=10_000,
        examples=["shipments:read"],
    ),
    "redirect_uris": _texts("Where people return to after signing in, compared letter by letter."),
    "post_logout_redirect_uris": _texts("Where people return to after signing out."),
    "allowed_cors_origins": _texts(
        "Origins of its pages, which may call the token endpoint: scheme, host and exact port."
    ),
    "contacts": _texts("Ways to reach the people behind it."),
    "client_uri": _text("Its website."),
    "logo_uri": _text("Its logo."),
    "policy_uri": _text("Its privacy policy."),
    "tos_uri": _text("Its terms of service."),
    "jwks": {
        "type": ["object", "null"],
        "description": "Its public keys (RFC 7517), left out when there are none. Not together with jwks_uri.",
    },
    "jwks_uri": _text("Where its public keys are read."),
    "access_token_strategy": _choice(TokenStrategy.values, "jwt (RFC 9068) by default, or opaque."),
    "audience": _texts("What its tokens may be for, besides the APIs of its scopes (RFC 8707)."),
    "require_resource": _flag("Require it to name the API in each request (RFC 8707)."),
    "require_pushed_authorization_requests": _flag("Require pushed authorization requests (RFC 9126)."),
    "dpop_bound_access_tokens": _flag("Bind its access tokens to its key (RFC 9449)."),
    "refresh_token_grace": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_GRACE,
        "description": "Seconds for which a refresh token still works after it was used.",
    },
    "id_token_signed_response_alg": _choice(SigningAlgorithm.values, "What its ID tokens are signed with."),
    "userinfo_signed_response_alg": _choice(
        ("none", *SigningAlgorithm.values), "none: userinfo is plain JSON; else it is a JWT, signed so."
    ),
    "application_type": _choice(ApplicationType.values, "web by default; native may use schemes of its own."),
    "default_max_age": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_AGE,
        "description": "Seconds after which people sign in anew, where a request does not say.",
    },
    "require_auth_time": _flag("Say in each ID token when the person signed in."),
    "default_acr_values": _texts("Ways of signing in that it wants, where a request does not say."),
    "initiate_login_uri": _text("Where a sign-in begins: people open the app there, from the list of their apps."),
    "backchannel_logout_uri": _text("Where we tell it that a person has signed out."),
    "backchannel_logout_session_required": _flag("Name the session in logout tokens."),
    "skip_consent": _flag("Ask nobody for consent; operators set it."),
    "skip_logout_consent": _flag("Ask nobody before signing out; operators set it."),
    "project": _text("What a workload belongs to, as its identity tokens say."),
    "deployment": _text("Which deployment of the project a workload is."),
    "environment_type": _choice(EnvironmentType.values, "Makes it a workload, which gets identity tokens."),
    "owner": _text("A free label. Whose client it is, `consumer` says.", maxLength=200),
    "metadata": {"type": ["object", "null"], "description": OTHERS_KEEP["description"]},
    "software_id": _text("Names the software, the same for all its installations.", maxLength=200),
    "software_version": _text("Its version.", maxLength=100),
    "frontchannel_logout_uri": _text("Not served; leave it empty and use backchannel_logout_uri."),
    "frontchannel_logout_session_required": _flag("Not served; leave it false."),
    "request_uris": _texts("Not served; leave it empty and use pushed authorization requests."),
    "request_object_signing_alg": _text("Not served; leave it empty and use pushed authorization requests."),
    "sector_identifier_uri": _text("Not served; leave it empty. Subjects are public."),
    "subject_type": _text("public. Pairwise subjects are not served."),
    "registration_access_token": _text("In the answer to a dynamic registration alone."),
    "registration_client_uri": _text("In the answer to a dynamic registration alone."),
    "created_at": _text("When it was registered.", format="date-time"),
    "updated_at": _text("When it was changed last.", format="date-time"),
    "disabled": _flag("Whether every request of it is refused. POST to …/disable and …/enable change it."),
    "last_used_at": _text("When it last authenticated.", format="date-time"),
    "expires_at": _text("When it ends, if it does.", format="date-time"),
    "claims": {"type": ["object", "null"], "description": "Claims that operators put into its access tokens."},
} | {name: _duration(name) for name in (*LIFESPANS, *(name for name in NEUTRAL if name.endswith("_lifespan")))}

LIFESPAN_MEMBERS = {name: schema for name, schema in MEMBERS.items() if name.endswith("_lifespan")}
CLIENT: dict[str, Any] = {
    "title": "Client",
    "type": "object",
    "properties": MEMBERS,
    "patternProperties": {f"^({'|'.join(LOCALIZABLE)})#": _text("The member in the language that its tag names.")},
    "additionalProperties": False,
}
LIFETIMES: dict[str, Any] = {
    "title": "Lifetimes",
    "type": "object",
    "properties": LIFESPAN_MEMBERS,
    "additionalProperties": False,
    "description": f"Each at most {LONGEST // 86400} days, and no longer than the API and the consumer allow.",
}
EXAMPLE: dict[str, Any] = {
    "client_name": "Billing sync",
    "grant_types": ["client_credentials"],
    "scope": "shipments:read",
    "token_endpoint_auth_method": "client_secret_basic",
}
