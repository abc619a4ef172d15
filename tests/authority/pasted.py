"""What people paste into the inspector: tokens of ours, changed ones, and made-up ones."""

import json

from authority.diagnostics.inspector.inspector import inspect
from authority.keys import signing_keys
from core.jose import base64url, jws


def one(text, viewer, api=None):
    (report,) = inspect(text, viewer, api)
    return report


def parts(token):
    return [json.loads(base64url.decode(part)) for part in token.split(".")[:2]]


def resigned(token, header=None, **changes):
    """Return our token with other claims, signed by the active key again."""
    head, content = parts(token)
    content = {name: value for name, value in (content | changes).items() if value is not None}
    signer = signing_keys.signer(head["alg"], seconds=60)
    return jws.encode(content, signer, typ=(header or {}).get("typ", head["typ"]))


def packed(header, content, signature="c2ln"):
    return f"{jws.pack(header)}.{jws.pack(content)}.{signature}"
