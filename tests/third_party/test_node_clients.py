"""The npm packages that people build clients with: openid-client, oauth4webapi and jose."""

import pytest

from tests.live import Server


def client(server: Server, key: str) -> dict[str, object]:
    known = server.demo["clients"][key]
    return {
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "redirect_uri": known["redirect_uris"][0],
        "scope": known["scope"],
        "audience": known["audience"],
    }


@pytest.mark.parametrize("key", ["web", "spa"])
def test_openid_client_signs_in_refreshes_and_revokes(script, server, key):
    results = script("openid_client.mjs", **client(server, key))
    assert results["claims"]["iss"] == server.demo["issuer"]
    assert results["userinfo"]["sub"] == results["claims"]["sub"]
    assert results["refreshed"]
    if key == "web":
        assert results["userinfo"]["email"] == server.demo["managers"][0]["email"]
        assert results["introspected"]["active"] is True
    assert results["afterwards"] == "invalid_grant"


@pytest.mark.parametrize("key", ["web", "spa"])
@pytest.mark.parametrize(("algorithm", "pushed"), [("oidc", False), ("oauth2", True)])
def test_oauth4webapi_finds_nothing_amiss_in_any_response(script, server, key, algorithm, pushed):
    results = script("oauth4webapi.mjs", algorithm=algorithm, pushed=pushed, **client(server, key))
    assert results["claims"]["sub"] == results["userinfo"]["sub"]
    assert results["refreshed"]


def test_oauth4webapi_accepts_the_access_token_of_a_service(script, server):
    client_id, secret = server.service()
    audience = server.demo["clients"]["service"]["audience"]
    told = {"client_id": client_id, "client_secret": secret, "scope": "shipments:read", "audience": audience}
    results = script("oauth4webapi.mjs", grant="client_credentials", **told)
    assert results["claims"]["client_id"] == client_id
    assert results["claims"]["scope"] == "shipments:read"


def test_jose_verifies_an_access_token_by_the_published_keys(script, server):
    audience = server.demo["clients"]["service"]["audience"]
    keys = f"{server.demo['issuer']}/.well-known/jwks.json"
    results = script("jose.mjs", token=server.token(), audience=audience, jwks_uri=keys)
    assert results["payload"]["scope"] == "shipments:read"
    assert results["header"]["typ"] == "at+jwt"
    assert results["elsewhere"] == "ERR_JWT_CLAIM_VALIDATION_FAILED"


@pytest.mark.compliance("RFC 9449", "5")
@pytest.mark.parametrize(("pushed", "algorithm"), [(False, "ES256"), (True, "Ed25519")])
def test_openid_client_binds_its_tokens_to_a_key(script, server, pushed, algorithm):
    results = script("dpop.mjs", pushed=pushed, algorithm=algorithm, **client(server, "spa"))
    assert results["types"] == ["dpop", "dpop"]  # as the package writes it
    assert results["userinfo"]["sub"] == results["subject"]
    assert results["as_bearer"] == "invalid_token"
    assert results["by_a_thief"] == "invalid_grant"


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.6")
def test_openid_client_registers_itself_signs_in_by_a_form_and_hears_of_the_end(script, server):
    audience = server.demo["clients"]["web"]["audience"]
    told = {name: server.demo[name] for name in ("initial_access_token", "operator_token")}
    told |= {"scope": "openid email shipments:read"}
    results = script("registered.mjs", audience=audience, **told)
    assert set(results["pushed"]) == {"client_id", "request_uri"}
    assert results["claims"]["aud"] == results["client_id"]
    assert results["claims"]["email"] == server.demo["managers"][0]["email"]
    assert results["audience"] == [audience, server.demo["issuer"]]  # ours, for userinfo
    assert results["back"] == f"{results['here']}/signed-out?state=gone"
    assert results["payload"]["sub"] == results["claims"]["sub"]
    assert results["payload"]["sid"] == results["claims"]["sid"]
    assert list(results["payload"]["events"]) == ["http://schemas.openid.net/event/backchannel-logout"]


@pytest.mark.compliance("RFC 8628", "3.4")
def test_openid_client_lets_a_device_in(script, server):
    scope = "openid shipments:read"
    client_id, _ = server.register("device", scope=tuple(scope.split()))
    results = script("device.mjs", client_id=client_id, scope=scope)
    assert results["scope"] == scope
    assert results["userinfo"]["sub"]
