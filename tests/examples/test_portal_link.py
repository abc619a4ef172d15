"""The application of examples/portal-link, whose person goes on into a workspace and comes back."""

import os
import sys
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from consumers.actions.personal_tokens import create_token
from consumers.audit import SYSTEM
from consumers.models import User
from tests.examples.conftest import EXAMPLES
from tests.forms import Forms
from tests.servers import free_port, running


@pytest.fixture
def app(server):
    """The running application, with a token of the demo's operator that may do this alone."""
    with server.database():
        operator = User.objects.get(is_superuser=True)
        _, token = create_token(
            user=operator,
            name="My app",
            scopes=["portal-links:write"],
            expires_at=timezone.now() + timedelta(days=1),
            actor=SYSTEM,
        )
    port = free_port()
    environ = dict(os.environ) | {"PORTAL": server.url, "PORTAL_TOKEN": token, "PORT": str(port)}
    url = f"http://127.0.0.1:{port}/"
    with running([sys.executable, "app.py"], url, environ, EXAMPLES / "portal-link"):
        yield url


def test_person_of_the_application_opens_their_workspace_and_sees_the_way_back(app):
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        assert "Manage API access" in browser.get(app).text
        page = browser.post(app)
        form = next(form for form in Forms(page.text).found if form.buttons)
        assert form.buttons[0].label.startswith("Continue to Acme")
        workspace = browser.post(str(page.url), data=form.filled_in(form.buttons[0]))
        assert workspace.url.path == "/consumers/acme/"
        assert f'href="{app}"' in workspace.text
        assert browser.get(workspace.url.join("/account/tokens/new/")).status_code == 403
        again = browser.post(str(page.url), data=form.filled_in(form.buttons[0]))
        assert again.status_code in (403, 404)


def test_example_is_as_short_as_it_says():
    assert len((EXAMPLES / "portal-link" / "app.py").read_text().splitlines()) <= 35
