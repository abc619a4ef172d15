"""What is wrong with an assertion that the client signed itself, in words; a platform's has its own in platforms.py."""

from typing import Any

from authority.diagnostics.problem_messages.messages import TOLD, Phrases, Teller, Words, spoken
from authority.diagnostics.problem_messages.platforms import OF_PLATFORMS
from clients.models import Client
from clients.vocabulary import AuthMethod

# Kind: title, what happened, what to do about it, and the tab where. How braces are filled in, see `spoken`.
OWN: dict[str, Phrases] = {
    "assertion_malformed": (
        "The assertion is no signed JWT",
        "client_assertion cannot be read: it is not three parts of base64url with JSON in the first two.",
        "Send the JWT as your library made it, unquoted and in one line.",
        "connect",
    ),
    "assertion_algorithm": (
        "The assertion is signed with an algorithm that we do not take",
        ("Its alg is “{used}”.", "Its alg is none that proves who signed it."),
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
        "The JWT was made for something else",
        ("Its typ is “{used}”; an assertion has JWT, or none.", "An assertion has the typ JWT, or none."),
        "Send a JWT that was made to authenticate the client, not an access token or an ID token.",
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
            "None of the registered keys made its signature.",
        ),
        "Register the public half of the key, and put its kid into the header of the assertion.",
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
        ("The key “{kid}” did not make it.", "The registered key did not make it."),
        "Check that the program signs with the private half of the registered key, and changes nothing afterwards.",
        "authentication",
    ),
    "assertion_keys_away": (
        "The keys could not be fetched",
        ("The address of the public keys gave none. {fault}", "The address of the public keys gave none."),
        "Check the address and the server behind it. Until it answers, every request of the client is refused.",
        "authentication",
    ),
    "assertion_issuer": (
        "The assertion’s issuer is not the client",
        "iss and sub must both be the client ID.",
        "Set iss and sub to the client ID.",
        "connect",
    ),
    "assertion_audience": (
        "The assertion is meant for somebody else",
        ("Its aud is “{sent}”.", "It has no aud, or not ours."),
        "Set aud to our issuer, and to nothing else. Some libraries put the token URL there: configure them.",
        "connect",
    ),
    "assertion_no_end": (
        "The assertion never ends",
        "It has no exp.",
        "Set exp to a minute from now.",
        "connect",
    ),
    "assertion_ended": (
        "The assertion has ended",
        "Its exp lies in the past.",
        "Make a new assertion for each request, and check the clock of the machine.",
        "connect",
    ),
    "assertion_too_long": (
        "The assertion lives too long",
        "Its exp lies too far ahead.",
        "Set exp to a minute from now: an assertion is used at once.",
        "connect",
    ),
    "assertion_future": (
        "The assertion begins in the future",
        "Its iat or nbf is more than a minute ahead of our clock.",
        "Check the clock of the machine that makes it.",
        "connect",
    ),
    "assertion_time": (
        "A time in the assertion cannot be read",
        "exp, iat and nbf are seconds since 1970, as numbers.",
        "Write them as numbers, not as texts.",
        "connect",
    ),
    "assertion_no_jti": (
        "The assertion has no name",
        "It has no jti, so that it could be used twice.",
        "Set jti to a new random text in each assertion.",
        "connect",
    ),
    "assertion_replayed": (
        "The assertion was used twice",
        "An assertion with the same jti was accepted before.",
        "Make a new assertion for each request, also when a request is repeated after a time-out.",
        "connect",
    ),
}


def _teller(kind: str) -> Teller:
    """Return what tells the problem: a client on a platform has no keys and no clock of its own to look after."""

    def tell(client: Client, detail: dict[str, Any]) -> Words:
        of_platform = client.token_endpoint_auth_method == AuthMethod.FEDERATED or kind not in OWN
        return spoken((OF_PLATFORMS if of_platform and kind in OF_PLATFORMS else OWN)[kind], detail)

    return tell


TOLD |= {kind: _teller(kind) for kind in OWN.keys() | OF_PLATFORMS.keys()}
