"""Messages for platform tokens that clients send instead of a secret."""

from authority.diagnostics.problem_messages.messages import MessageTemplate

# As in assertions.py.
PLATFORM_MESSAGES: dict[str, MessageTemplate] = {
    "assertion_malformed": (
        "What they send is not a signed JWT",
        "client_assertion cannot be read: it is not three parts of base64url with JSON in the first two.",
        (
            "Send the token exactly as the platform returned it, unquoted. Often a variable is empty, or a step before "
            "failed."
        ),
        "connect",
    ),
    "assertion_algorithm": (
        "The token is signed with an algorithm that we do not accept",
        ("Its alg is “{used}”.", "Its alg cannot prove who signed it."),
        "Send the platform’s own token. It is signed with a private key; one with a shared secret proves nothing here.",
        "authentication",
    ),
    "assertion_type": (
        "The token is of another type",
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
            "Its signature was made with none of the keys that the issuer publishes.",
        ),
        "Check that it comes from that issuer, and not from another one with the same URL.",
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
        ("It was not made with the issuer’s key “{kid}”.", "It was not made with the issuer’s key."),
        "Send the token as the platform gave it. A log or a terminal may have masked or cut a part of it.",
        "authentication",
    ),
    "assertion_keys_away": (
        "The issuer’s keys could not be fetched",
        ("Its token could not be checked. {fault}", "Its token could not be checked."),
        "Until it responds, all its tokens are refused. If it works, ask the operator, who registered its URL.",
        "",
    ),
    "assertion_no_end": (
        "The token never expires",
        "It has no exp.",
        "Configure the issuer to set exp to an hour or less from now.",
        "authentication",
    ),
    "assertion_ended": (
        "The token has expired",
        "Its exp is in the past.",
        "Ask the platform for a new one in each run, just before it is used. Long jobs ask again.",
        "connect",
    ),
    "assertion_too_long": (
        "The lifetime of the token is too long",
        "Its exp is more than a day in the future.",
        "Ask the platform for a lifetime of an hour: in Kubernetes, that is expirationSeconds.",
        "connect",
    ),
    "assertion_future": (
        "The token is not valid yet",
        "Its iat or nbf is more than a minute ahead of our clock.",
        "Check the clock of the issuer, or of the cluster that issues the tokens.",
        "",
    ),
    "assertion_time": (
        "A time in the token cannot be read",
        "exp, iat and nbf are seconds since 1970, as numbers.",
        "The issuer must write them as numbers, not as strings.",
        "",
    ),
    "assertion_replayed": (
        "The token was used twice",
        "A token with the same jti was accepted before.",
        (
            "Ask the platform for a new one for each request. An access token can be used until it expires, so keep "
            "that instead."
        ),
        "connect",
    ),
    "assertion_no_rule": (
        "The client has no rule for the issuer of the token",
        ("Its iss is “{issuer}”.", "It says in iss who issued it."),
        "Compare its iss with the issuers of the rules: it must match exactly. If it is yours, create a rule for it.",
        "authentication",
    ),
    "assertion_issuer_off": (
        "The issuer of the token is no longer allowed",
        (
            "The operator of this portal has disabled {issuer}.",
            "The operator of this portal has disabled it.",
        ),
        "Ask the operator, or choose another authentication method.",
        "authentication",
    ),
    "assertion_rule_unmet": (
        "The token matches no rule of the client",
        (
            "Its {claim} is “{found}”; the nearest rule wants “{wanted}”.",
            "It has no {claim}; the nearest rule wants “{wanted}”.",
            "Each of its rules requires another value in aud or in another claim.",
        ),
        "Compare the token with the rules in the tester.",
        "authentication",
    ),
    "assertion_two_rules": (
        "The token matches two rules of the client",
        "It is ambiguous, so neither applies.",
        "Make the rules exclude each other, or delete one.",
        "authentication",
    ),
}
