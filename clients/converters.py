"""How a client's ID stands in the address of a page."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

PLAIN = re.compile(r"[-\w]+", re.ASCII)


class ClientId:
    """An ID that is an address itself is written in base64url after a tilde, for proxies merge slashes in paths."""

    regex = r"~?[-a-zA-Z0-9_]+=*"

    def to_python(self, value: str) -> str:
        """Raises ValueError, which means that no page is there."""
        if not value.startswith("~"):
            return value
        try:
            return urlsafe_b64decode(value[1:]).decode()
        except binascii.Error as error:
            raise ValueError(value) from error

    def to_url(self, client_id: str) -> str:
        return client_id if PLAIN.fullmatch(client_id) else f"~{urlsafe_b64encode(client_id.encode()).decode()}"
