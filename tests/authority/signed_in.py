"""People who are signed in to a client, as its tokens leave them behind."""

from datetime import timedelta

from django.utils import timezone

from authority.models import SignIn, TokenFamily
from consumers.models import User

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ALL = ["openid", "profile", "email", "shipments:read"]


def sign_in_at(client, user, *, days=0.0, at=None, scopes=ALL, user_agent=FIREFOX, **fields):
    """Sign a person in, so many days ago; return the family."""
    began = at or timezone.now() - timedelta(days=days)
    recorded = SignIn.objects.create(client=client, user=user, authenticated_at=began, user_agent=user_agent)
    values = {"grant_type": "authorization_code", "retain_until": timezone.now() + timedelta(days=9)} | fields
    return TokenFamily.objects.create(pk=recorded.pk, client=client, user=user, began_at=began, scopes=scopes, **values)


def end_user(name="", email="", subject=None):
    return User.objects.create_end_user(name=name, email=email, login_subject=subject)
