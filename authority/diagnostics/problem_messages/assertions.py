"""Messages for assertions that the client signed itself; those of platforms are in platforms.py."""

from typing import Any

from authority.diagnostics.problem_messages.messages import (
    MESSAGES,
    MessageFunction,
    MessageTemplate,
    ProblemMessage,
    render,
)
from authority.diagnostics.problem_messages.platforms import PLATFORM_MESSAGES
from clients.models import Client
from clients.vocabulary import AuthMethod

# Kind: title, what happened, what to do about it, and the tab where. How braces are filled in, see `spoken`.
OWN: dict[str, MessageTemplate] = {
    "assertion_malformed": (
        "The assertion is not a signed JWT",
        "client_assertion cannot be read: it is not three parts of base64url with JSON in the first two.",
        "Send the JWT as your library returns it, unquoted and in one line.",
        "connect",
    ),
    "assertion_algorithm": (
        "The assertion is signed with an algorithm that we do not accept",
        ("Its alg is “{used}”.", "Its alg cannot prove who signed it."),
        "Sign with a private key: RS256, PS256, ES256 or EdDSA, and their longer forms. Never with a shared secret.",
        "connect",
    ),
    "assertion_other_algorithm": (
        "The assertion is signed with another algorithm than registered",
        (
            "Its alg is “{used}”; the client is registered for {registered}.",
            "Its alg is not the one that the client is registered for.",
        ),
        "Sign with the registered algorithm, or change it on the page Authentication.",
        "authentication",
    ),
    "assertion_type": (
        "The JWT is of another type",
        ("Its typ is “{used}”; an assertion has JWT, or none.", "An assertion has the typ JWT, or none."),
        "Send a client assertion, not an access token or an ID token.",
        "connect",
    ),
    "assertion_header": (
        "The assertion brings its own key",
        ("Its header holds {name}, which we never follow.", "Its header holds jku, jwk, x5u or crit."),
        "Leave that out. We check the signature with the keys that are registered.",
        "connect",
    ),
    "assertion_key_unknown": (
        "The assertion is signed with a key that is not registered",
        (
            "No registered key is called “{kid}” and makes signatures with {used}.",
            "No registered key makes signatures with {used}.",
            "Its signature was made with none of the registered keys.",
        ),
        "Register the public key, and put its kid into the header of the assertion.",
        "authentication",
    ),
    "assertion_key_unnamed": (
        "The assertion does not say which key signed it",
        ("Several keys could have made a signature with {used}.", "Several keys could have made its signature."),
        "Put the kid of the key into the header of the assertion.",
        "authentication",
    ),
    "assertion_signature": (
        "The signature of the assertion is wrong",
        ("It was not made with the key “{kid}”.", "It was not made with the registered key."),
        "Check that the program signs with the private key of the registered pair, and changes nothing afterwards.",
        "authentication",
    ),
    "assertion_keys_away": (
        "The keys could not be fetched",
        ("The JWKS URL returned no keys. {fault}", "The JWKS URL returned no keys."),
        "Check the URL and the server behind it. Until it responds, every request of the client is refused.",
        "authentication",
    ),
    "assertion_issuer": (
        "The assertion’s issuer is not the client",
        "iss and sub must both be the client ID.",
        "Set iss and sub to the client ID.",
        "connect",
    ),
    "assertion_audience": (
        "The assertion has the wrong audience",
        ("Its aud is “{sent}”.", "It has no aud, or not ours."),
        "Set aud to our issuer, and to nothing else. Some libraries put the token URL there: configure them.",
        "connect",
    ),
    "assertion_no_end": (
        "The assertion never expires",
        "It has no exp.",
        "Set exp to a minute from now.",
        "connect",
    ),
    "assertion_ended": (
        "The assertion has expired",
        "Its exp is in the past.",
        "Create a new assertion for each request, and check the clock of the machine.",
        "connect",
    ),
    "assertion_too_long": (
        "The lifetime of the assertion is too long",
        "Its exp is too far in the future.",
        "Set exp to a minute from now: an assertion is used at once.",
        "connect",
    ),
    "assertion_future": (
        "The assertion is not valid yet",
        "Its iat or nbf is more than a minute ahead of our clock.",
        "Check the clock of the machine that creates it.",
        "connect",
    ),
    "assertion_time": (
        "A time in the assertion cannot be read",
        "exp, iat and nbf are seconds since 1970, as numbers.",
        "Write them as numbers, not as strings.",
        "connect",
    ),
    "assertion_no_jti": (
        "The assertion has no jti",
        "It has no jti, so that it could be used twice.",
        "Set jti to a new random text in each assertion.",
        "connect",
    ),
    "assertion_replayed": (
        "The assertion was used twice",
        "An assertion with the same jti was accepted before.",
        "Create a new assertion for each request, also when a request is repeated after a timeout.",
        "connect",
    ),
}


def _message_function(kind: str) -> MessageFunction:
    """Return the message function: a client on a platform has no keys and no clock of its own to fix."""

    def tell(client: Client, detail: dict[str, Any]) -> ProblemMessage:
        of_platform = client.token_endpoint_auth_method == AuthMethod.FEDERATED or kind not in OWN
        return render((PLATFORM_MESSAGES if of_platform and kind in PLATFORM_MESSAGES else OWN)[kind], detail)

    return tell


MESSAGES |= {kind: _message_function(kind) for kind in OWN.keys() | PLATFORM_MESSAGES.keys()}
