"""Messages for authorization codes, PKCE, and refresh tokens."""

from authority.diagnostics.problem_messages.messages import static

static(
    "challenge_missing",
    "PKCE is missing",
    "The authorization request has no code_challenge, which every client needs.",
    "Send code_challenge and code_challenge_method=S256; each OAuth library has a switch for it.",
    "connect",
)
static(
    "challenge_plain",
    "PKCE must use S256",
    "code_challenge_method is plain or unknown, which is not secure.",
    "Send code_challenge_method=S256, with a challenge of that method.",
    "connect",
)
static(
    "verifier_missing",
    "The PKCE verifier is missing",
    "The program exchanged a code without code_verifier.",
    "Send the code_verifier whose challenge was in the authorization request.",
    "connect",
)
static(
    "verifier_wrong",
    "The PKCE verifier does not match",
    "code_verifier does not match the code_challenge of the authorization request.",
    "Keep the verifier of each sign-in beside its state. A second tab or a retry often overwrites it.",
    "connect",
)
static(
    "code_unknown",
    "The code was not issued to this client",
    "The code is unknown, was issued to another client, or expired long ago.",
    "Exchange the code that this client was sent, once, immediately and unchanged.",
)
static(
    "code_expired",
    "The code has expired",
    "A code is valid for a minute. This one was exchanged later.",
    "Exchange the code as soon as it arrives; look for a queue, a retry or a debugger on the way.",
)
static(
    "code_used",
    "The code was used twice",
    "The program exchanged a code that it had exchanged before. The tokens of the first exchange were revoked.",
    "Exchange each code once. Often a page is loaded twice, or a request is repeated after a timeout.",
)
static(
    "code_redirect_uri",
    "The redirect URI of the exchange differs",
    "redirect_uri of the token request is not that of the authorization request.",
    "Send the same redirect_uri in both requests.",
    "connect",
)
static(
    "sign_in_over",
    "The person was no longer signed in",
    "The person signed out, or left the workspace, after the code was given and before it was exchanged.",
    "Exchange the code as soon as it arrives. Otherwise nothing in the program is wrong: the person signs in again.",
)
static(
    "refresh_token_unknown",
    "The refresh token was not issued to this client",
    "The refresh token is unknown, belongs to another client, or expired long ago.",
    "Ask the person to sign in again, and keep the refresh token of the latest response.",
)
static(
    "refresh_token_ended",
    "The refresh token has expired",
    "It was not used for too long, was revoked, or the longest time that people stay signed in is over.",
    "Ask the person to sign in again.",
)
static(
    "refresh_token_used",
    "The refresh token was used twice",
    "Each refresh returns a new refresh token and invalidates the old one. When the old one is reused, the whole "
    "sign-in is revoked.",
    "Keep the refresh token of the latest response, and refresh in one place at a time. The person has to sign in "
    "again.",
)
static(
    "tokens_revoked",
    "All tokens were revoked in the meantime",
    "Somebody revoked all tokens of the client after the person signed in.",
    "Ask the person to sign in again.",
)
static(
    "person_inactive",
    "The person’s account is closed",
    "The token or code belongs to a person whose account is no longer active.",
    "Nothing in the program is wrong: sign out that person there too.",
)
static(
    "person_not_admitted",
    "The person may not sign in to apps of this API",
    "The operator says for each API who may sign in. The person is none of them, or no longer.",
    "Let them sign in with another account, or ask the operator who may sign in.",
)
static(
    "scopes_of_different_people",
    "The scopes belong to APIs that different people sign in to",
    "One of the APIs has a login of its own, so that nobody could sign in for all of the scopes.",
    "Ask for the scopes of each API in a request of its own.",
)
static(
    "device_at_own_login",
    "Devices cannot sign people in for this API",
    "People sign in for this API by its own login, and a device has no way to lead them there.",
    "Use the authorization code grant, in the browser of the person’s computer or phone.",
)
static(
    "hook_denied",
    "The API denies the token",
    "Before a token for this API is issued, the operator’s own server is asked. It denied this client or person.",
    "Ask the operator why. Another try gets the same answer until that changes.",
)
static(
    "hook_failed",
    "The server that decides about tokens did not answer",
    "Before a token for this API is issued, the operator’s own server is asked. It did not answer as it should.",
    "Try again in a few seconds, and tell the operator if it goes on. Nothing is wrong with your client.",
)
