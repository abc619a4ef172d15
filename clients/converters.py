"""The path converter of client IDs."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from django.urls import register_converter

URL_SAFE = re.compile(r"[-\w]+", re.ASCII)


class ClientId:
    """Client IDs in paths. One that is a URL is in base64url after a tilde, because proxies merge slashes in paths."""

    regex = r"~?[-a-zA-Z0-9_]+=*"

    def to_python(self, value: str) -> str:
        """Raises ValueError, which Django takes for no match."""
        if not value.startswith("~"):
            return value
        try:
            return urlsafe_b64decode(value[1:]).decode()
        except binascii.Error as error:
            raise ValueError(value) from error

    def to_url(self, client_id: str) -> str:
        return client_id if URL_SAFE.fullmatch(client_id) else f"~{urlsafe_b64encode(client_id.encode()).decode()}"


register_converter(ClientId, "client")
