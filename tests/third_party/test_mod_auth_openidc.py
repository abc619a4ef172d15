"""Apache's mod_auth_openidc as a website's sign-in, where the machine has it: a relying party in C."""

import os
import pwd
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.actions.clients import register_client
from clients.metadata import TEMPLATES
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests import patient
from tests.live import Server
from tests.servers import free_port, running

MODULES = Path("/usr/lib/apache2/modules")
pytestmark = pytest.mark.skipif(
    not (MODULES / "mod_auth_openidc.so").exists(), reason="libapache2-mod-auth-openidc is not installed"
)

CONFIGURATION = """
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
ServerRoot {root}
DocumentRoot {root}/pages
PidFile {root}/pid
ErrorLog {root}/error.log
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {site}/signed-in
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid email offline_access"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
<Location />
  AuthType openid-connect
  Require valid-user
  Header always set X-Remote-User "expr=%{{REMOTE_USER}}"
</Location>
"""


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[str]:
    """A page behind Apache that only people who have signed in here may read."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        metadata = TEMPLATES["web"].replace(
            client_name=f"Apache {port}",
            scope=("openid", "email", "offline_access"),
            redirect_uris=(f"{site}/signed-in",),
            post_logout_redirect_uris=(f"{site}/left",),
        )
        client, secret = register_client(consumer=acme, metadata=metadata, policy=portal_policy, actor=SYSTEM)
    values: dict[str, Any] = {
        "port": port,
        "site": site,
        "root": tmp_path,
        "modules": MODULES,
        "issuer": server.demo["issuer"],
        "client_id": client.client_id,
        "client_secret": secret,
        "passphrase": secrets.token_hex(16),
        # Apache gives up root for a user of its own, who must be able to read the page.
        "user": f"User {pwd.getpwuid(os.getuid()).pw_name}" if os.getuid() else "User www-data\nGroup www-data",
    }
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("for people who have signed in")
    for folder in (pages, *list(tmp_path.parents)[:3], tmp_path):
        folder.chmod(0o755)
    (tmp_path / "apache.conf").write_text(CONFIGURATION.format(**values))
    command = ["/usr/sbin/apache2", "-DFOREGROUND", "-f", str(tmp_path / "apache.conf")]
    with running(command, site, dict(os.environ), tmp_path):
        yield site


def test_mod_auth_openidc_signs_a_person_in_and_out(server, site, person):
    with patient.Client(base_url=site) as browser:
        asked = browser.get("/index.html")
        assert asked.status_code == 302
        assert asked.headers["Location"].startswith(f"{server.demo['issuer']}/oauth2/authorize")
        back = browser.get(person.allow(asked.headers["Location"]), follow_redirects=True)
        assert back.text == "for people who have signed in"
        assert back.headers["X-Remote-User"] == server.demo["managers"][0]["email"]
        leaving = browser.get("/signed-in", params={"logout": f"{site}/left"})
        assert leaving.headers["Location"].startswith(f"{server.demo['issuer']}/oauth2/logout")
