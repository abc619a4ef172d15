"""Who may sign in for an authorization request: what the APIs of its scopes say, all of them."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.functional import cached_property

from authority.authorization.request import AuthorizationRequest
from authority.client_directory import ClientEntry, Permission
from authority.people import admission, subject
from authority.people.subject import Person
from authority.protocol.errors import InvalidScopeError
from authority.telemetry import request_trace
from clients.models import Api, SignInBy
from connections.models import Connection
from consumers.models import User
from consumers.scopes import AUDIENCE


@dataclass(frozen=True)
class SignInRule:
    """What the request's APIs say together. Without any, the members of the client's consumer sign in."""

    entry: ClientEntry
    permissions: tuple[Permission, ...]  # of which the person must be admitted to each
    apis: tuple[Api, ...]
    mode: SignInBy

    @property
    def login_api(self) -> Api | None:
        """Return the API whose own login signs people in, or None where they sign in here."""
        return self.apis[0] if self.mode == SignInBy.OWN_LOGIN else None

    @property
    def max_age(self) -> int | None:
        """Return for how many seconds a sign-in counts, by the strictest of the APIs."""
        return min((api.reauthenticate_after for api in self.apis if api.reauthenticate_after), default=None)

    @property
    def requires_two_factors(self) -> bool:
        return any(api.requires_two_factors for api in self.apis)

    @property
    def asks_consent_each_time(self) -> bool:
        return any(api.asks_consent_each_time for api in self.apis)

    @cached_property
    def connections(self) -> QuerySet[Connection]:
        """Return the connections whose people may sign in to the client."""
        if self.mode != SignInBy.CONNECTIONS:
            return Connection.objects.none()
        found = Connection.objects.of_consumer(self.entry.client.consumer)
        for api in self.apis:
            if api.sign_in == SignInBy.CONNECTIONS:
                found = found.filter(apis=api)
        return found

    def admits(self, user: User, session_key: str) -> bool:
        """Say whether the person may sign in, in the browser session of that key.

        To a client that asks for no API, whoever may for one of its own.
        """
        client = self.entry.client
        person = Person(user, subject.is_member(user, client))
        if self.permissions:
            return all(self._admits_for(each, person, session_key) for each in self.permissions)
        if person.is_member:
            return True
        own = _one_of_each(self.entry.permissions.values())
        if own:
            return any(self._admits_for(each, person, session_key) for each in own)
        return self.entry.is_self_registered and user.memberships.filter(consumer__suspended_at=None).exists()

    def _admits_for(self, permission: Permission, person: Person, session_key: str) -> bool:
        return admission.is_admitted(self.entry, permission, person, session_key=session_key)


def _one_of_each(permissions: object) -> tuple[Permission, ...]:
    """Return one permission of each API."""
    return tuple({each.audience: each for each in permissions}.values())  # type: ignore[attr-defined]


def of_request(auth_request: AuthorizationRequest) -> SignInRule:
    return of_scopes(auth_request.entry, auth_request.scopes)


def of_scopes(entry: ClientEntry, scopes: list[str]) -> SignInRule:
    """Return who may sign in for these scopes. Raises InvalidScopeError where nobody could be meant by all of them.

    A request for nothing but identity follows the APIs that the client has, where they agree.
    """
    asked = _one_of_each(entry.permissions_of(scopes))
    own = asked or _one_of_each(entry.permissions.values())
    named = [each.audience for each in own if each.audience != AUDIENCE]
    apis = tuple(Api.objects.filter(identifier__in=named).order_by("pk")) if named else ()
    modes = {SignInBy(api.sign_in) for api in apis} or {SignInBy.MEMBERS}
    if SignInBy.OWN_LOGIN in modes and (len(modes) > 1 or len({_login_of(api) for api in apis}) > 1):
        if asked:
            request_trace.set_reason("scopes_of_different_people", apis=[api.name for api in apis])
            raise InvalidScopeError(
                "The APIs of these scopes have different people sign in. Ask for the scopes of one API at a time."
            )
        modes.discard(SignInBy.OWN_LOGIN)
    mode = next(each for each in (SignInBy.OWN_LOGIN, SignInBy.CONNECTIONS, SignInBy.MEMBERS) if each in modes)
    return SignInRule(entry, asked, apis, mode)


def _login_of(api: Api) -> tuple[str, str, str]:
    return api.login_url, api.consent_url, api.logout_url
