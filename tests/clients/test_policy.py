"""The registration policy: what may be registered, and the refusals."""

import pytest

from clients.errors import InvalidClientMetadata, InvalidRedirectURI
from clients.metadata import TEMPLATES
from clients.policy import operator_policy, portal_policy
from clients.uris.redirect_uris import check_redirect_uri
from core.errors import Refusal
from tests.factories import ClientFactory

GOOD_ADDRESSES = [
    "https://app.example.com/signed-in",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:8443/signed-in",
    "https://app.example.com/signed-in?tenant=acme&x=",
    "https://app.example.com/a//b/;v=1/c.d..e",
    "https://app.example.com/caf%C3%A9%20bar",
    "https://xn--bcher-kva.example/cb",
    "https://a-b.c_d.example.com/~me/!$&'()+,;=:@",
    "https://93.184.216.34/cb",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/cb",
    "https://localhost/cb",
    "http://localhost:3000/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:49152/cb",
    "http://[::1]:8400/cb",
    "com.example.app:/signed-in",
    "com.example.app-2://oauth/signed-in",
]
BAD_ADDRESSES = [
    "",
    "/signed-in",
    "//app.example.com/cb",
    "app.example.com/cb",
    "https:app.example.com/cb",
    "https:/app.example.com/cb",
    "https:///cb",
    "https://",
    "https://:443/cb",
    "http://app.example.com/cb",
    "HTTPS://app.example.com/cb",
    "https://APP.example.com/cb",
    "https://app.example.com:/cb",
    "https://app.example.com:0/cb",
    "https://app.example.com:0443/cb",
    "https://app.example.com:65536/cb",
    "https://app.example.com:port/cb",
    "https://app.example.com./cb",
    "https://.example.com/cb",
    "https://app..example.com/cb",
    "https://*.example.com/cb",
    "https://app.example.com/*",
    "https://user@app.example.com/cb",
    "https://user:secret@app.example.com/cb",
    "https://app.example.com@evil.example/cb",
    "https://app.example.com/cb#fragment",
    "https://app.example.com/cb#",
    "https://app.example.com\\@evil.example/cb",
    "https:\\\\app.example.com/cb",
    "https://app.example.com/../cb",
    "https://app.example.com/a/..",
    "https://app.example.com/./cb",
    "https://app.example.com/..;x=1/cb",
    "https://app.example.com/%2e%2e/cb",
    "https://app.example.com/%2E%2E/cb",
    "https://app.example.com/a%2fb",
    "https://app.example.com/a%5Cb",
    "https://app.example.com/%252e%252e/cb",
    "https://app.example.com/%00",
    "https://app.example.com/%0d%0aSet-Cookie:x",
    "https://app.example.com/%09",
    "https://app.example.com/%7f",
    "https://app.example.com/%zz",
    "https://app.example.com/%",
    "https://app.example.com/\x00",
    "https://app.example.com/\r\nX: y",
    "https://app.example.com/\tcb",
    " https://app.example.com/cb",
    "https://app.example.com/a b",
    "https://app.example.com/cb ",
    "https://bücher.example/cb",
    "https://app.example.com/\u202etxt.exe",
    "https://app.example.com/\uff0fcb",
    "https://app.example.com/{id}",
    "https://app.example.com/<script>",
    'https://app.example.com/"x',
    "https://app.example.com/cb?code=1",
    "https://app.example.com/cb?a=1&state=x",
    "https://app.example.com/cb?iss",
    "https://app.example.com/" + "a" * 2000,
    "https://intranet/cb",
    "https://printer.local/cb",
    "https://app.corp.internal/cb",
    "https://evil.localhost/cb",
    "https://10.0.0.1/cb",
    "https://192.168.1.1/cb",
    "https://169.254.169.254/latest",
    "https://127.0.0.2/cb",
    "https://224.0.0.1/cb",
    "https://0.0.0.0/cb",
    "https://127.1/cb",
    "https://2130706433/cb",
    "https://0x7f000001/cb",
    "https://0x7f.0.0.1/cb",
    "https://[::ffff:10.0.0.1]/cb",
    "https://[fe80::1]/cb",
    "https://[fe80::1%25eth0]/cb",
    "https://[0:0:0:0:0:0:0:1]/cb",
    "https://[::1/cb",
    "https://[nonsense]/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://app.example.com/x",
    "myapp:/signed-in",
    "myapp://signed-in",
    "Com.Example.App:/signed-in",
    "com.example.app:",
    "com.example.app:/",
    "urn:ietf:wg:oauth:2.0:oob",
]


@pytest.mark.parametrize("uri", GOOD_ADDRESSES)
def test_addresses_with_one_reading_may_be_registered(uri):
    check_redirect_uri(uri)


@pytest.mark.parametrize("uri", BAD_ADDRESSES)
def test_ambiguous_and_foreign_addresses_are_refused_with_a_reason(uri):
    with pytest.raises(InvalidRedirectURI) as refusal:
        check_redirect_uri(uri)
    assert refusal.value.code == "invalid_redirect_uri"
    assert refusal.value.description.isprintable()
    assert refusal.value.description.endswith(".")


def test_a_refused_http_address_is_answered_with_the_https_one():
    with pytest.raises(InvalidRedirectURI, match=r"https://staging\.example\.com/cb"):
        check_redirect_uri("http://staging.example.com/cb")


def refusal_of(consumer, template="service", **changes) -> Refusal:
    good = {"client_name": "Yard planner", "scope": ("shipments:read",)}
    if template != "service":
        good["redirect_uris"] = ("https://app.example.com/cb",)
    with pytest.raises(Refusal) as refusal:
        portal_policy(TEMPLATES[template].replace(**(good | changes)), consumer)
    return refusal.value


@pytest.mark.parametrize("template", ["service", "web", "public"])
def test_each_template_passes_the_portals_policy(acme, acme_access, template):
    uris = () if template == "service" else ("https://app.example.com/cb",)
    scope = ("shipments:read",) if template == "service" else ("openid", "shipments:read")
    metadata = TEMPLATES[template].replace(client_name="Yard planner", redirect_uris=uris, scope=scope)
    portal_policy(metadata, acme)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_name": "  "}, "client_name"),
        ({"client_name": "x" * 101}, "client_name"),
        ({"client_name": "Billing\u202egnitset"}, "client_name"),
        ({"client_name": "Billing\u200b"}, "client_name"),
        ({"client_name": "\u3164"}, "client_name"),
        ({"client_name": "a\x00b"}, "client_name"),
        ({"client_name": "a\ud800b"}, "client_name"),
        ({"description": "x" * 1001}, "description"),
        ({"description": "a\x1b[31m"}, "description"),
        ({"scope": ()}, "scope"),
        ({"scope": ("openid",)}, "scope"),
        ({"scope": ("shipments:read", "shipments:read")}, "scope"),
        ({"scope": ("invoices:read",)}, "scope"),
        ({"redirect_uris": ("https://app.example.com/cb",)}, "redirect_uris"),
        ({"post_logout_redirect_uris": ("https://app.example.com/",)}, "post_logout_redirect_uris"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"jwks": {"keys": []}, "jwks_uri": "https://app.example.com/jwks"}, "jwks"),
        ({"grant_types": ()}, "grant_types"),
        ({"grant_types": ("password",)}, "grant_types"),
        ({"grant_types": ("implicit",)}, "grant_types"),
        ({"grant_types": ("refresh_token",)}, "grant_types"),
        ({"grant_types": ("client_credentials", "client_credentials")}, "grant_types"),
        ({"response_types": ("token",)}, "response_types"),
    ],
)
def test_a_service_that_may_not_be_registered_is_refused_at_the_field(acme, acme_access, changes, field):
    assert field in [problem.field for problem in every(refusal_of(acme, **changes))]


@pytest.mark.parametrize(
    "uris",
    [
        (),
        ("https://app.example.com/cb",) * 2,
        tuple(f"https://app.example.com/{n}" for n in range(51)),
        ("https://app.example.com/cb", "http://app.example.com/cb"),
    ],
)
def test_a_web_app_needs_addresses_that_are_good_and_few(acme, acme_access, uris):
    assert isinstance(refusal_of(acme, "web", redirect_uris=uris), InvalidRedirectURI)


def every(refusal: Refusal) -> list[Refusal]:
    return [refusal, *refusal.others]


def test_everything_that_is_wrong_is_said_at_once(acme, acme_access):
    refusal = refusal_of(
        acme,
        "web",
        client_name="",
        scope=("invoices:read",),
        redirect_uris=("http://a.example/", "https://b.example/#"),
    )
    assert [problem.field for problem in every(refusal)] == ["client_name", "redirect_uris", "redirect_uris", "scope"]


def test_the_scope_of_another_consumer_is_refused(acme, globex, acme_access):
    assert "Globex may not use" in refusal_of(globex).description


def test_two_clients_of_a_workspace_need_two_names(acme, globex, acme_access, service):
    ClientFactory(consumer=globex, client_name="Yard planner")
    metadata = TEMPLATES["service"].replace(scope=("shipments:read",))
    portal_policy(metadata.replace(client_name="Yard planner"), acme)
    portal_policy(metadata.replace(client_name="billing sync"), acme, service)
    with pytest.raises(InvalidClientMetadata, match="already called"):
        portal_policy(metadata.replace(client_name="billing sync"), acme)


@pytest.mark.parametrize("field", ["jwks_uri", "backchannel_logout_uri"])
def test_hosts_of_the_own_network_are_for_operators_to_name(acme, acme_access, settings, field):
    """A manager could ask each port of a host that an operator had named for an identity provider."""
    settings.FETCH_LOCAL_HOSTS = ["10.0.0.7"]
    template = "service" if field == "jwks_uri" else "web"
    metadata = TEMPLATES[template].replace(client_name="Scanner", scope=("shipments:read",))
    if field == "jwks_uri":
        metadata = metadata.replace(token_endpoint_auth_method="private_key_jwt")
    else:
        metadata = metadata.replace(redirect_uris=("https://app.example.com/",))
    metadata = metadata.replace(**{field: "http://10.0.0.7:22/"})
    with pytest.raises(Refusal) as caught:
        portal_policy(metadata, acme)
    assert caught.value.field == field
    operator_policy(metadata, acme)
    stored = "client_jwks_uri" if field == "jwks_uri" else field
    client = ClientFactory(consumer=acme, template=template, **{stored: "http://10.0.0.7:22/"})
    portal_policy(metadata, acme, client)  # what an operator has set may stay
