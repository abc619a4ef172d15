"""The toolkit's scopes backend: the scopes that exist, and those that a client may have now."""

from typing import Any

from oauth2_provider.scopes import BaseScopes

from clients.models import Client, Scope
from clients.vocabulary import IDENTITY_SCOPES


class ClientScopes(BaseScopes):
    """The scopes that a client registered and its consumer may use now."""

    def get_all_scopes(self) -> dict[str, str]:
        identity = {value: name for value, (name, _) in IDENTITY_SCOPES.items()}
        return identity | dict(Scope.objects.values_list("value", "name"))

    def get_available_scopes(self, application: Client | None = None, request: Any = None, **kwargs: Any) -> list[str]:
        if request is None or application is None:
            return []
        return request.context.entry.scopes_for(request.grant_type or "authorization_code")  # type: ignore[no-any-return]

    def get_default_scopes(self, application: Client | None = None, request: Any = None, **kwargs: Any) -> list[str]:
        """Return what a request that names no scope gets: everything that APIs grant the client (RFC 6749 section 3.3).

        `openid` must be requested; it is never a default.
        """
        return list(request.context.entry.permissions) if request is not None else []
