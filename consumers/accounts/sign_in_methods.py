"""How a person has signed in, in words for people: from the records that allauth keeps in the session."""

from typing import Any

WORDS = {
    "code": "Code by email",
    "password": "Password",
    "invitation": "Invitation link",
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery code",
}


def describe(records: list[dict[str, Any]]) -> str:
    """Return the method, with the second factor where one was used: “Password, then authenticator app”."""
    used = [WORDS[name] for record in records if (name := record.get("type") or record["method"]) in WORDS]
    text = ", then ".join(dict.fromkeys(used)) or "Unknown"
    return text[:1].upper() + text[1:]
