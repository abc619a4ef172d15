"""What operators read of an end user: the apps, the identities at providers, and where they are signed in."""

from allauth.usersessions.models import UserSession
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from authority.people import own_apps
from connections.models import Identity
from consumers.activity.person_facts import Fact
from consumers.models import User
from core.admin import admin_link
from core.timefmt import short_date_time
from core.user_agents import browser_name


def _apps(person: User) -> SafeString | str:
    rows = [
        (admin_link(app.client), app.client.consumer, short_date_time(app.last_used_at)) for app in own_apps.of(person)
    ]
    return format_html_join(", ", "{} of {} (last used {})", rows) if rows else "None"


def _identities(person: User) -> SafeString | str:
    found = Identity.objects.filter(account__user=person).select_related("account", "connection")
    rows: list[tuple[object, str]] = [(each.connection, each.account.uid) for each in found]
    if person.login_subject is not None:
        rows.append(("Provider’s own login", person.login_subject))
    return format_html_join(", ", "{}: <code>{}</code>", rows) if rows else "None"


def _sessions(person: User) -> SafeString | str:
    keys = UserSession.objects.filter(user=person).exists()
    found = own_apps.sessions_of(person, None, None) if keys or person.login_subject is not None else []
    rows = [(browser_name(each.user_agent) or "Unknown browser", short_date_time(each.since)) for each in found]
    return format_html_join(", ", "{} since {}", rows) if rows else format_html("{}", "Nowhere")


FACTS: dict[str, Fact] = {"Apps": _apps, "Identities": _identities, "Signed in": _sessions}
