"""Rules for who may sign in to apps that ask for an API's scopes."""

from collections.abc import Collection
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from clients.models import Api, SignInBy
from clients.uris.redirect_uris import LOOPBACK_HOSTS
from connections.models import Connection, SignInMode
from consumers import policy
from consumers.scopes import AUDIENCE
from core.errors import Refusal
from core.limits import longest
from core.uris import check_characters

ADDRESSES = ("login_url", "consent_url", "logout_url")
SHORTEST, LONGEST = 60, 366 * 24 * 3600  # seconds, of reauthenticate_after
MAX_CONNECTIONS = 50  # of an API
# What we add to the addresses ourselves.
CHALLENGES = {"login_challenge", "consent_challenge", "logout_challenge"}


def sign_in(api: Api, connections: Collection[Connection]) -> None:
    """Require what the chosen way needs, and addresses to which people can be sent. Raises Refusal."""
    policy.model_fields(api)
    if api.identifier == AUDIENCE and api.sign_in != SignInBy.MEMBERS:
        raise Refusal("This is the portal's own API: the people of the portal alone sign in for it.", field="sign_in")
    after = api.reauthenticate_after
    if after is not None and not SHORTEST <= after <= LONGEST:
        raise Refusal("Ask again after a minute at least, and a year at most.", field="reauthenticate_after")
    for field in ADDRESSES:
        _address(getattr(api, field), field)
    if api.sign_in == SignInBy.OWN_LOGIN and not api.login_url:
        raise Refusal("Enter the address of your login.", field="login_url")
    if len(connections) > MAX_CONNECTIONS:
        raise Refusal(f"Choose at most {MAX_CONNECTIONS} connections.", field="sign_in_connections")
    if api.sign_in == SignInBy.CONNECTIONS and all(each.sign_in == SignInMode.OFF for each in connections):
        off = "Those that you chose are off: set one of them to Offered." if connections else ""
        raise Refusal(f"Choose a connection by which people can sign in. {off}".strip(), field="sign_in_connections")


def _address(url: str, field: str) -> None:
    """Require https; http on this machine alone, where the portal itself has no https."""
    if url and (problem := _problem_of(url)):
        raise Refusal(f"This address cannot be used: {problem}", field=field)


def _length(url: str) -> str:
    most = longest(Api, "login_url")
    return f"shorten it to {most} characters." if len(url) > most else ""


def _problem_of(url: str) -> str:
    if problem := _length(url) or check_characters(url):
        return problem
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what raises
    except ValueError:
        return "its host or port cannot be read."
    if "#" in url or "@" in parts.netloc:
        return "leave out user name, password and fragment."
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    if not parts.hostname or not (parts.scheme == "https" or (is_local and settings.PUBLIC_URL.startswith("http:"))):
        return "use https, such as https://login.example.com/login."
    named = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if added := sorted(CHALLENGES & named):
        return f"leave out the parameter {added[0]}, which we add."
    return ""
