"""The demo's mail, read in the browser without signing in."""

import importlib

import pytest
from django.core.mail import EmailMultiAlternatives, mailers
from django.urls import Resolver404, resolve

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(settings, tmp_path):
    """Deliver a mail; return the address of its page."""
    settings.MAIL_DIR = tmp_path
    settings.MAILERS = {"delivery": {"BACKEND": "portal.demo.mailbox.FolderBackend"}}
    mail = EmailMultiAlternatives(
        "Grüße <b>", "Look at https://portal.example/invitations/abc/ <script>x</script>", None, ["jonas@acme.example"]
    )
    mail.attach_alternative("<p>Look</p>", "text/html")
    mailers["delivery"].send_messages([mail])
    return f"/demo/mail/{next(tmp_path.glob('*.eml')).stem}/"


def test_the_inbox_lists_mail_and_leads_to_it(client, letter):
    page = client.get("/demo/mail/").content.decode()
    assert letter in page
    assert "Grüße &lt;b&gt;" in page
    assert "jonas@acme.example" in page


def test_a_mail_shows_its_text_with_links_that_work(client, letter):
    page = client.get(letter).content.decode()
    assert '<a href="https://portal.example/invitations/abc/"' in page
    assert "<script>x" not in page


def test_the_whole_mail_is_downloaded(client, letter):
    answer = client.get(f"{letter}download")
    body = b"".join(answer.streaming_content)
    assert b"text/html" in body
    assert answer["Content-Disposition"].endswith('.eml"')


def test_an_empty_mailbox_says_so(client, settings, tmp_path):
    settings.MAIL_DIR = tmp_path / "none"
    assert "Nothing has been sent yet" in client.get("/demo/mail/").content.decode()


@pytest.mark.parametrize("name", ["nothing-here", "..", "../settings", "%2e%2e%2fsecret"])
def test_no_other_file_is_read(client, letter, name):
    assert client.get(f"/demo/mail/{name}/").status_code == 404


def test_a_production_portal_has_no_mailbox(settings):
    from portal import urls

    settings.MAIL_IN_BROWSER = False
    try:
        importlib.reload(urls)
        with pytest.raises(Resolver404):
            resolve("/demo/mail/", urlconf=urls)
    finally:
        settings.MAIL_IN_BROWSER = True
        importlib.reload(urls)
