"""Why a sign-in at an identity provider came to nothing, in words for the person and for the operator."""

from dataclasses import dataclass
from typing import Literal

from allauth.socialaccount.providers.oauth2.client import OAuth2Error

Reason = Literal[
    "cancelled",
    "refused",
    "state",
    "unreachable",
    "busy",
    "metadata",
    "response_issuer",
    "token",
    "id_token",
    "algorithm",
    "key",
    "signature",
    "issuer",
    "audience",
    "nonce",
    "clock",
    "too_old",
    "subject",
    "userinfo",
    "domain",
    "off",
    "unknown",
    "unproven",
    "other_account",
    "subject_changed",
    "operator",
    "wrong_person",
]


@dataclass(frozen=True)
class Words:
    """`title` and `text` are for the person, `operator` says what to mend. {name} is the connection's.

    `is_fault` says that the provider or its configuration is to blame, so that the connection shows it.
    """

    title: str
    text: str
    operator: str
    is_fault: bool = False
    status: int = 403


_TRY_AGAIN = "Try again. If it happens again, tell the people who run this portal."
_TELL = "Your sign-in there worked, but what {name} sent cannot be trusted. Tell the people who run this portal."

WORDS: dict[Reason, Words] = {
    "cancelled": Words("You were not signed in", "You cancelled at {name}. Nothing has changed.", "", status=200),
    "refused": Words(
        "{name} did not let you in",
        "Your organisation may not have given you this portal there. Ask whoever runs {name} for you.",
        "The provider answered with an error. Is the person assigned to the application, and the redirect URI "
        "registered?",
    ),
    "state": Words(
        "This sign-in is too old",
        "It was begun more than ten minutes ago, in another browser, or has been used. Begin again.",
        "",
        status=400,
    ),
    "unreachable": Words(
        "{name} cannot be reached",
        "It does not answer, so nobody can sign in by it now. Wait a few minutes, or sign in another way.",
        "A server of the provider did not answer, or not with what it should.",
        is_fault=True,
        status=502,
    ),
    "busy": Words(
        "Many people sign in just now",
        "{name} keeps this portal waiting. Try again in a few seconds.",
        "",
        status=503,
    ),
    "metadata": Words(
        "{name} is not set up",
        _TRY_AGAIN,
        "The discovery document lacks an endpoint that is needed, or names another issuer.",
        is_fault=True,
        status=502,
    ),
    "response_issuer": Words(
        "This answer came from another provider",
        "It does not come from {name}, where you were sent. Begin again, and take care which page asks for your "
        "password.",
        "The response's iss is missing or is another issuer (RFC 9207 section 2.4): a mix-up attack, or a proxy.",
        status=400,
    ),
    "token": Words(
        "{name} did not accept this portal",
        _TRY_AGAIN,
        "The token endpoint refused the code. Are client ID, authentication method, and secret or key set right there?",
        is_fault=True,
        status=502,
    ),
    "id_token": Words(
        "{name} sent no proof of who you are",
        _TELL,
        "The token response has no ID token that can be read. Is the scope openid allowed?",
        is_fault=True,
        status=502,
    ),
    "algorithm": Words(
        "{name} cannot be trusted",
        _TELL,
        "The ID token is signed by an algorithm that is not accepted. Set RS256, PS256, ES256 or EdDSA there.",
        is_fault=True,
    ),
    "key": Words(
        "{name} cannot be trusted",
        _TELL,
        "The ID token names a key (kid) that the provider's key set does not have. Keys that have just been rotated "
        "are read within a minute.",
        is_fault=True,
    ),
    "signature": Words(
        "{name} cannot be trusted", _TELL, "The signature of the ID token does not verify.", is_fault=True
    ),
    "issuer": Words(
        "{name} cannot be trusted", _TELL, "The ID token's iss is not the connection's issuer.", is_fault=True
    ),
    "audience": Words(
        "{name} cannot be trusted", _TELL, "The ID token's aud or azp is not our client ID.", is_fault=True
    ),
    "nonce": Words(
        "This sign-in cannot be trusted",
        "It was not begun in this browser. Begin again.",
        "The ID token's nonce is not the one that was sent: a replayed answer, or a provider that drops it.",
        status=400,
    ),
    "clock": Words(
        "The clocks differ too much",
        "The sign-in is dated in the future or long ago, by the clock of {name}. " + _TRY_AGAIN,
        "The ID token's iat or exp is more than a minute away from our clock. One of the two clocks is wrong.",
        is_fault=True,
    ),
    "too_old": Words(
        "Sign in at {name} once more",
        "You signed in there too long ago, and this portal asks for a fresh sign-in. Begin again.",
        "auth_time is missing, or older than what was asked for (max_age).",
    ),
    "subject": Words(
        "{name} cannot be trusted",
        _TELL,
        "The ID token's sub is missing, longer than 255 characters, or not printable ASCII.",
        is_fault=True,
    ),
    "userinfo": Words(
        "{name} cannot be trusted",
        _TELL,
        "The UserInfo response is about another subject than the ID token, or is no JSON object.",
        is_fault=True,
    ),
    "domain": Words(
        "This account is not of your organisation",
        "You chose an account of another organisation at {name}. Begin again, and choose the one of your work.",
        "The claim that names the domain is none of the connection's verified domains.",
    ),
    "off": Words(
        "{name} is not in use",
        "Nobody can sign in by it now. Sign in another way, or ask the people who run this portal.",
        "The connection is off, or was deleted.",
        status=404,
    ),
    "unknown": Words(
        "This portal does not know you yet",
        "{name} knows you, but you have not been invited here. Ask a colleague who manages your workspace, then open "
        "the invitation that you get by email.",
        "No account is linked, no verified address of a trusted domain was sent, or no invitation and no rule lets "
        "the person join.",
    ),
    "unproven": Words(
        "Show first that the account is yours",
        "{name} does not prove an email address for this portal. If you have an account here, sign in as before, then "
        "connect {name} to your account.",
        "The address is of a domain that the connection is not trusted for, or the provider does not call it verified.",
    ),
    "other_account": Words(
        "Two accounts do not go together",
        "{name} says that you have the address of another account here. The people who run this portal have been told.",
        "The subject is linked to one account, and its address now belongs to another one.",
    ),
    "subject_changed": Words(
        "{name} sends somebody else",
        "The address is yours, but {name} knows it under another identity than before. The people who run this portal "
        "have been told, and can let the new one in.",
        "The account is linked to another subject of this issuer. If the person was created again there, remove the "
        "old identity on the person's page.",
    ),
    "operator": Words(
        "Operators do not sign in by {name}",
        "This account runs the portal. Sign in with a passkey or a code by email.",
        "The connection is not for operators.",
    ),
    "wrong_person": Words(
        "That was somebody else",
        "You signed in at {name} as another person than here. Begin again with your own account.",
        "",
    ),
}


class SignInFailed(OAuth2Error):
    """A sign-in at an identity provider that came to nothing. `detail` is for operators and logs, without secrets."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.words = WORDS[reason]
        self.detail = detail[:300]
