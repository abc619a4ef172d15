"""What is wrong with a platform's token that a client shows in the place of a secret, in words."""

from authority.diagnostics.problem_messages.messages import Phrases

# As in assertions.py.
OF_PLATFORMS: dict[str, Phrases] = {
    "assertion_malformed": (
        "What they send is no signed JWT",
        "client_assertion cannot be read: it is not three parts of base64url with JSON in the first two.",
        "Send the token as the platform gave it, unquoted. Often a variable is empty, or a step before failed.",
        "connect",
    ),
    "assertion_algorithm": (
        "The token is signed with an algorithm that we do not take",
        ("Its alg is “{used}”.", "Its alg is none that proves who signed it."),
        "Send the platform’s own token. It is signed with a private key; one with a shared secret proves nothing here.",
        "authentication",
    ),
    "assertion_type": (
        "The token was made for something else",
        ("Its typ is “{used}”; an identity has JWT, or none.", "An identity has the typ JWT, or none."),
        "Ask the platform for an identity token (OpenID Connect), not for an access token.",
        "connect",
    ),
    "assertion_header": (
        "The token brings its own key",
        ("Its header holds {name}, which we never follow.", "Its header holds jku, jwk, x5u or crit."),
        "Compare it with what the platform documents: its tokens name a key by kid alone.",
        "authentication",
    ),
    "assertion_key_unknown": (
        "The token is signed with a key that its issuer does not publish",
        (
            "The issuer publishes no key called “{kid}” that makes signatures with {used}.",
            "The issuer publishes no key that makes signatures with {used}.",
            "None of the keys that the issuer publishes made its signature.",
        ),
        "Check that it comes from that issuer, and not from another one that uses the same address.",
        "authentication",
    ),
    "assertion_key_unnamed": (
        "The token does not say which key signed it",
        ("Several keys could have made a signature with {used}.", "Several keys could have made its signature."),
        "The issuer must put the kid of its key into the header of the token.",
        "authentication",
    ),
    "assertion_signature": (
        "The signature of the token is wrong",
        ("The issuer’s key “{kid}” did not make it.", "The issuer’s key did not make it."),
        "Send the token as the platform gave it. A log or a terminal may have masked or cut a part of it.",
        "authentication",
    ),
    "assertion_keys_away": (
        "The issuer’s keys could not be fetched",
        ("Its token could not be checked. {fault}", "Its token could not be checked."),
        "Until it answers, all its tokens are refused. If it is well, ask the operator, who registered its address.",
        "",
    ),
    "assertion_no_end": (
        "The token never ends",
        "It has no exp.",
        "Let the issuer put an end into its tokens, an hour ahead or less.",
        "authentication",
    ),
    "assertion_ended": (
        "The token has ended",
        "Its exp lies in the past.",
        "Ask the platform for a new one in each run, just before it is used. Long jobs ask again.",
        "connect",
    ),
    "assertion_too_long": (
        "The token lives too long",
        "Its exp lies more than a day ahead.",
        "Ask the platform for one that lives an hour: in Kubernetes, that is expirationSeconds.",
        "connect",
    ),
    "assertion_future": (
        "The token begins in the future",
        "Its iat or nbf is more than a minute ahead of our clock.",
        "Check the clock of the issuer, or of the cluster that makes the tokens.",
        "",
    ),
    "assertion_time": (
        "A time in the token cannot be read",
        "exp, iat and nbf are seconds since 1970, as numbers.",
        "The issuer must write them as numbers, not as texts.",
        "",
    ),
    "assertion_replayed": (
        "The token was used twice",
        "A token with the same jti was accepted before.",
        "Ask the platform for a new one for each request. One access token serves until it ends, so keep that instead.",
        "connect",
    ),
    "assertion_no_rule": (
        "The token comes from an issuer that the client has no rule for",
        ("Its iss is “{issuer}”.", "It says in iss who issued it."),
        "Compare its iss with the issuers of the rules, letter by letter. If it is yours, add a rule for it.",
        "authentication",
    ),
    "assertion_issuer_off": (
        "The issuer of the token is no longer allowed",
        (
            "The operator of this portal has turned off tokens of {issuer}.",
            "The operator of this portal has turned off its tokens.",
        ),
        "Ask the operator, or let the client prove itself in another way.",
        "authentication",
    ),
    "assertion_rule_unmet": (
        "The token meets no rule of the client",
        (
            "Its {claim} is “{found}”; the nearest rule wants “{wanted}”.",
            "It has no {claim}; the nearest rule wants “{wanted}”.",
            "Each of its rules wants something else in aud or in another claim.",
        ),
        "Compare the token with the rules in the tester, letter by letter.",
        "authentication",
    ),
    "assertion_two_rules": (
        "The token meets two rules of the client",
        "It is not clear which of them is meant, so that neither counts.",
        "Make the rules exclude each other, or remove one.",
        "authentication",
    ),
}
