"""OpenID Connect Back-Channel Logout: when a browser session ends, the clients that were signed in to from it get a
logout token. A notice is saved in the transaction that ends the session; the worker delivers it, with retries.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.dispatch import receiver

from authority.keys import signing_keys
from authority.models import LogoutNotice, SignIn, TokenFamily
from authority.tokens import codes, families
from clients.models import Client
from consumers.accounts.sessions import session_ended, session_moved
from consumers.models import User
from core import clock
from core.credentials import token_digest
from core.delivery import Queue, wake_workers
from core.http_fetch import transport
from core.jose import jws

logger = logging.getLogger(__name__)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPE = "logout+jwt"
LIFETIME = 120  # seconds that a logout token is valid (section 2.4)


@receiver(session_moved)
def update_session_key(old: str, new: str, **kwargs: Any) -> None:
    move_sign_ins(token_digest(old), token_digest(new))


def move_sign_ins(old: str, new: str) -> None:
    """Keep the sign-ins of a session whose digest changes."""
    SignIn.objects.filter(session=old).update(session=new)


@receiver(session_ended)
def end_session(key: str, **kwargs: Any) -> None:
    end_sign_ins(token_digest(key))


def end_sign_ins(session: str) -> None:
    """Revoke what ends with the session of that digest, and save a notice for each of its clients that wants one.

    Its refresh tokens are revoked, except those with offline_access (section 2.7).
    """
    ended = list(SignIn.objects.select_related("client", "user").filter(session=session))
    if not ended:
        return
    codes.delete_of_sign_ins(ended)
    mine = TokenFamily.objects.filter(pk__in=[sign_in.pk for sign_in in ended], scopes__contains=["openid"])
    families.revoke(mine.exclude(scopes__contains=["offline_access"]))
    _tell({sign_in.client_id: sign_in for sign_in in ended}.values())
    SignIn.objects.filter(pk__in=[sign_in.pk for sign_in in ended]).update(session="")


def end_sign_ins_at(client: Client, user: User) -> None:
    """Tell the client that each browser session in which the person is signed in to it has ended.

    The sessions themselves go on: somebody else has ended what the client had from them.
    """
    mine = SignIn.objects.filter(client=client, user=user).exclude(session="")
    _tell({sign_in.sid: sign_in for sign_in in mine.select_related("client", "user")}.values())
    mine.update(session="")


def _tell(ended: Iterable[SignIn]) -> None:
    """Save a notice of each of the sign-ins, where its client wants one."""
    notices = [
        LogoutNotice(client=each.client, subject=each.user.subject, sid=each.sid)
        for each in ended
        if each.client.backchannel_logout_uri
    ]
    LogoutNotice.objects.bulk_create(notices)
    if notices:
        wake_workers()


# -- Delivery ---------------------------------------------------------------------------------------------------------


class Unanswered(Exception):
    """The client may hear of it later."""


class LogoutQueue(Queue[LogoutNotice]):
    """Logout requests to clients. One that says no is not asked again."""

    name = "logout notice"
    model = LogoutNotice
    related = ("client",)
    retry_after = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200))

    def deliver(self, row: LogoutNotice) -> None:
        """Post the logout token (section 2.5). Raises FetchError and Unanswered."""
        if not row.client.backchannel_logout_uri:
            return
        body = urlencode({"logout_token": _logout_token(row)}).encode()
        answer = transport.fetch(
            row.client.backchannel_logout_uri, body=body, content_type="application/x-www-form-urlencoded"
        )
        if answer.status in (408, 429) or answer.status >= 500:
            raise Unanswered(f"The response has status {answer.status}.")
        if answer.status >= 400:
            logger.warning("client %s refused a logout with status %s", row.client.client_id, answer.status)

    def delivered(self, row: LogoutNotice) -> None:
        LogoutNotice.objects.filter(pk=row.pk).delete()

    def given_up(self, row: LogoutNotice, reason: str) -> None:
        logger.warning("logout of client %s is given up: %s", row.client.client_id, reason)
        LogoutNotice.objects.filter(pk=row.pk).delete()


QUEUE = LogoutQueue()


def _logout_token(notice: LogoutNotice) -> str:
    """Return a logout token, a new one for each attempt (section 2.4); it has no nonce, so it is no ID token."""
    now = int(clock.seconds())
    claims = {
        "iss": settings.ISSUER,
        "sub": notice.subject,
        "aud": notice.client.client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": uuid.uuid4().hex,
        "sid": notice.sid,
        "events": {EVENT: {}},
    }
    algorithm = notice.client.id_token_signed_response_alg or signing_keys.ID_TOKEN_ALGORITHM
    return jws.encode(claims, signing_keys.signer(algorithm, seconds=LIFETIME), typ=TYPE)
