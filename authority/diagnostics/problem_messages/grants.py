"""Codes and their verifiers, and refresh tokens."""

from authority.diagnostics.problem_messages.messages import plain

plain(
    "challenge_missing",
    "PKCE is missing",
    "The authorization request has no code_challenge, which every client needs.",
    "Send code_challenge and code_challenge_method=S256; each OAuth library has a switch for it.",
    "connect",
)
plain(
    "challenge_plain",
    "PKCE must use S256",
    "code_challenge_method is plain or unknown, which proves nothing.",
    "Send code_challenge_method=S256, with the challenge made by it.",
    "connect",
)
plain(
    "verifier_missing",
    "The PKCE verifier is missing",
    "The program exchanged a code without code_verifier.",
    "Send the code_verifier whose challenge was in the authorization request.",
    "connect",
)
plain(
    "verifier_wrong",
    "The PKCE verifier does not fit",
    "code_verifier is not what the challenge of the authorization request was made of.",
    "Keep the verifier of each sign-in beside its state. A second tab or a retry often overwrites it.",
    "connect",
)
plain(
    "code_unknown",
    "The code is not one of this client",
    "The code is unknown, was issued to another client, or ended long ago.",
    "Exchange the code that this client was sent, once, at once, and without changing its characters.",
)
plain(
    "code_expired",
    "The code came too late",
    "A code is good for a minute. This one was exchanged after that.",
    "Exchange the code as soon as it arrives; look for a queue, a retry or a debugger on the way.",
)
plain(
    "code_used",
    "The code was used twice",
    "The program exchanged a code that it had exchanged before. The tokens of the first exchange were revoked.",
    "Exchange each code once. Often a page is loaded twice, or a request is repeated after a time-out.",
)
plain(
    "code_redirect_uri",
    "The redirect URI of the exchange differs",
    "redirect_uri of the token request is not that of the authorization request.",
    "Send the same redirect_uri in both requests.",
    "connect",
)
plain(
    "sign_in_over",
    "The person had left by then",
    "The person signed out, or left the workspace, after the code was given and before it was exchanged.",
    "Exchange the code as soon as it arrives. Otherwise nothing in the program is wrong: the person signs in again.",
)
plain(
    "refresh_token_unknown",
    "The refresh token is not one of this client",
    "The refresh token is unknown, belongs to another client, or ended long ago.",
    "Ask the person to sign in again, and keep the refresh token of the newest answer.",
)
plain(
    "refresh_token_ended",
    "The refresh token has ended",
    "It was not used for too long, was revoked, or the longest time that people stay signed in is over.",
    "Ask the person to sign in again.",
)
plain(
    "refresh_token_used",
    "The refresh token was used twice",
    "Each refresh gives a new refresh token and ends the old one. When that comes again, the whole sign-in ends.",
    "Keep the refresh token of the newest answer, and refresh in one place at a time. The person has to sign in again.",
)
plain(
    "tokens_revoked",
    "All tokens were revoked meanwhile",
    "Somebody revoked all tokens of the client after the person signed in.",
    "Ask the person to sign in again.",
)
plain(
    "person_inactive",
    "The person’s account is closed",
    "The token or code belongs to a person whose account is no longer active.",
    "Nothing in the program is wrong: sign out that person there too.",
)
