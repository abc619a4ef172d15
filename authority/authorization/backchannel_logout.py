"""When a browser session ends, the clients that a person signed in to from it are told (OpenID Connect Back-Channel
Logout). A notice is written in the transaction that ends the session; the worker delivers it, and tries again.
"""

import logging
import time
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from authority.keys import signing_keys
from authority.models import Family, LogoutNotice, SignIn
from authority.tokens import codes, families
from consumers.accounts.sessions import session_ended, session_moved
from core.digests import digest
from core.http_fetch import transport
from core.http_fetch.target import FetchError
from core.jose import jws
from core.mail import wake_workers

logger = logging.getLogger(__name__)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPE = "logout+jwt"
LIFETIME = 120  # seconds that a logout token counts (section 2.4)
RETRY_AFTER = [10, 60, 300, 1800, 7200]  # seconds


@receiver(session_moved)
def follow(old: str, new: str, **kwargs: Any) -> None:
    SignIn.objects.filter(session=digest(old)).update(session=digest(new))


@receiver(session_ended)
def end(key: str, **kwargs: Any) -> None:
    """End what lived with the session, and write a notice to each of its clients that wants one.

    Its refresh tokens end, but for those that were granted to go on while the person is away (section 2.7).
    """
    ended = list(SignIn.objects.select_related("client").filter(session=digest(key)))
    if not ended:
        return
    codes.withdraw(ended)
    mine = Family.objects.filter(pk__in=[sign_in.pk for sign_in in ended], scopes__contains=["openid"])
    families.end(mine.exclude(scopes__contains=["offline_access"]))
    told = {sign_in.client_id: sign_in for sign_in in ended if sign_in.client.backchannel_logout_uri}
    notices = [LogoutNotice(client=each.client, subject=str(each.user_id), sid=each.sid) for each in told.values()]
    LogoutNotice.objects.bulk_create(notices)
    SignIn.objects.filter(pk__in=[sign_in.pk for sign_in in ended]).update(session="")
    if notices:
        wake_workers()


# -- Delivery ---------------------------------------------------------------------------------------------------------


def deliver_next() -> bool:
    """Try one notice that is due; return False when there is none. Of several workers one delivers it."""
    with transaction.atomic():
        notice = (
            LogoutNotice.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("client")
            .filter(next_attempt_at__lte=timezone.now())
            .order_by("next_attempt_at")
            .first()
        )
        if notice is None:
            return False
        problem = _deliver(notice)
        if problem is None or notice.attempts == len(RETRY_AFTER):
            if problem is not None:
                logger.warning("logout of client %s is given up: %s", notice.client.client_id, problem)
            notice.delete()
            return True
        notice.next_attempt_at = timezone.now() + timedelta(seconds=RETRY_AFTER[notice.attempts])
        notice.attempts += 1
        notice.save(update_fields=["next_attempt_at", "attempts"])
    return True


def _deliver(notice: LogoutNotice) -> str | None:
    """Post the logout token; return what went wrong, or None. A client that says no is not asked again."""
    if not notice.client.backchannel_logout_uri:
        return None
    body = urlencode({"logout_token": _logout_token(notice)}).encode()
    try:
        answer = transport.fetch(
            notice.client.backchannel_logout_uri, body=body, content_type="application/x-www-form-urlencoded"
        )
    except FetchError as error:
        return str(error)
    if answer.status in (408, 429) or answer.status >= 500:
        return f"It answers with status {answer.status}."
    if answer.status >= 400:
        logger.warning("client %s refused a logout with status %s", notice.client.client_id, answer.status)
    return None


def _logout_token(notice: LogoutNotice) -> str:
    """Return the signed token, made anew for each attempt (section 2.4); it has no nonce, so it is no ID token."""
    now = int(time.time())
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
