"""Authorization requests that are bad, repeated or meant to confuse: a page of ours, or the registered error."""

from itertools import product
from urllib.parse import urlencode

import pytest

from tests.authority.flows import BACK

# Not proven whom it comes from or where it leads: it stays on a page of ours (RFC 9700 section 4.11).
PAGES = {
    "no client": {"client_id": None},
    "an unknown client": {"client_id": "cl_nobody"},
    "an empty client": {"client_id": ""},
    "NUL in the client": {"client_id": "cl_\0"},
    "a client of ten thousand letters": {"client_id": "c" * 10_000},
    "a client beyond ASCII": {"client_id": "cl_ü"},
    "markup for a client": {"client_id": "<script>alert(1)</script>"},
    "an empty redirect URI": {"redirect_uri": "/"},
    "a path behind the registered one": {"redirect_uri": BACK + "/more"},
    "a slash at the end": {"redirect_uri": BACK + "/"},
    "a query": {"redirect_uri": BACK + "?next=1"},
    "a fragment": {"redirect_uri": BACK + "#top"},
    "a port": {"redirect_uri": BACK.replace("example.com", "example.com:443")},
    "another port": {"redirect_uri": BACK.replace("example.com", "example.com:8443")},
    "no TLS": {"redirect_uri": BACK.replace("https", "http")},
    "the host in capitals": {"redirect_uri": BACK.replace("app.example", "APP.example")},
    "the scheme in capitals": {"redirect_uri": BACK.replace("https", "HTTPS")},
    "a subdomain": {"redirect_uri": BACK.replace("app.", "evil.app.")},
    "the host as a subdomain": {"redirect_uri": BACK.replace("example.com", "example.com.evil.example")},
    "the host as a user": {"redirect_uri": "https://app.example.com@evil.example/signed-in"},
    "a user before the host": {"redirect_uri": BACK.replace("https://", "https://user@")},
    "a password before the host": {"redirect_uri": BACK.replace("https://", "https://user:secret@")},
    "a backslash for a slash": {"redirect_uri": BACK.replace("/signed", "\\signed")},
    "a backslash before another host": {"redirect_uri": "https://evil.example\\@app.example.com/signed-in"},
    "a path that goes up": {"redirect_uri": BACK.replace("/signed", "/x/../signed")},
    "a path that goes up, encoded": {"redirect_uri": BACK.replace("/signed", "/x/%2e%2e/signed")},
    "a slash, encoded": {"redirect_uri": BACK.replace("/signed", "/%2fsigned")},
    "a letter, encoded": {"redirect_uri": BACK.replace("signed", "%73igned")},
    "a tab": {"redirect_uri": BACK + "\t"},
    "a line feed": {"redirect_uri": BACK + "\r\nSet-Cookie: a=b"},
    "a space before it": {"redirect_uri": " " + BACK},
    "NUL at its end": {"redirect_uri": BACK + "\0"},
    "a trick of direction": {"redirect_uri": BACK + "\u202e"},
    "a host of other letters": {"redirect_uri": BACK.replace("app", "\u0430pp")},
    "punycode": {"redirect_uri": BACK.replace("app", "xn--pp-6kc")},
    "a full stop at the host's end": {"redirect_uri": BACK.replace(".com", ".com.")},
    "two slashes before the path": {"redirect_uri": BACK.replace(".com/", ".com//")},
    "parameters of the path": {"redirect_uri": BACK + ";a=b"},
    "no scheme": {"redirect_uri": BACK.removeprefix("https:")},
    "no host": {"redirect_uri": "https:///signed-in"},
    "javascript": {"redirect_uri": "javascript:alert(1)"},
    "data": {"redirect_uri": "data:text/html,hello"},
    "a file": {"redirect_uri": "file:///etc/passwd"},
    "a URN": {"redirect_uri": "urn:ietf:wg:oauth:2.0:oob"},
    "loopback": {"redirect_uri": "http://127.0.0.1/signed-in"},
    "ten thousand letters": {"redirect_uri": BACK + "x" * 10_000},
}


@pytest.mark.compliance("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("how", PAGES)
def test_a_request_that_is_not_proven_stays_on_our_page(flow, how):
    flow.request = {name: value for name, value in (flow.request | PAGES[how]).items() if value is not None}
    answer = flow.open()
    assert answer.status_code == 400
    assert "Location" not in answer
    assert "<script>alert" not in answer.text


DUPLICATES = ["client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "made_up"]


@pytest.mark.compliance("RFC 6749", "3.1")
@pytest.mark.parametrize("name", DUPLICATES)
def test_a_repeated_parameter_never_gets_a_code(flow, name):
    value = flow.request.get(name, "x")
    answer = flow.browser.get(f"{flow.address}&{urlencode([(name, value), (name, value)])}")
    assert answer.status_code in (400, 303)
    if answer.status_code == 303:
        assert "error=invalid_request" in answer["Location"]


# Client and redirect URI are proven: the error goes back to the client, with its state.
RETURNS = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "token": ({"response_type": "token"}, "unsupported_response_type"),
    "id_token": ({"response_type": "id_token"}, "unsupported_response_type"),
    "code and id_token": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "none": ({"response_type": "none"}, "unsupported_response_type"),
    "code in capitals": ({"response_type": "CODE"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method, which means plain": ({"code_challenge_method": None}, "invalid_request"),
    "another method": ({"code_challenge_method": "S512"}, "invalid_request"),
    "a method in small letters": ({"code_challenge_method": "s256"}, "invalid_request"),
    "a challenge that is too short": ({"code_challenge": "x" * 42}, "invalid_request"),
    "a challenge that is too long": ({"code_challenge": "x" * 129}, "invalid_request"),
    "a challenge with strange letters": ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
    "an unknown permission": ({"scope": "openid everything"}, "invalid_scope"),
    "a permission of another client": ({"scope": "openid billing:write"}, "invalid_scope"),
    "a permission with a quote": ({"scope": 'openid a"b'}, "invalid_scope"),
    "a permission beyond ASCII": ({"scope": "openid ü"}, "invalid_scope"),
}


@pytest.mark.compliance("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("how", RETURNS)
def test_an_error_goes_back_with_its_code_and_state(flow, how):
    changes, error = RETURNS[how]
    flow.request = {name: value for name, value in (flow.request | changes).items() if value is not None}
    answer = flow.open()
    assert answer.status_code == 303, answer.text
    assert answer["Location"].startswith(BACK)
    assert f"error={error}&" in answer["Location"].replace("?", "&") + "&"
    assert "state=a+state" in answer["Location"]
    assert "code=" not in answer["Location"].replace("error", "")


# -- Userinfo ---------------------------------------------------------------------------------------------------------

BEARERS = {
    "nothing": ({}, 401, None),
    "no token": ({"Authorization": "Bearer"}, 401, None),
    "no JWT": ({"Authorization": "Bearer abc"}, 401, "invalid_token"),
    "three empty parts": ({"Authorization": "Bearer .."}, 401, "invalid_token"),
    "no algorithm": ({"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}, 401, "invalid_token"),
    "a hundred thousand letters": ({"Authorization": "Bearer " + "x" * 100_000}, 401, "invalid_token"),
    "letters beyond ASCII": ({"Authorization": "Bearer \u00fc"}, 401, "invalid_token"),
    "a secret for a token": ({"Authorization": "Basic YTpi"}, 401, None),
}


@pytest.mark.compliance("RFC 6750", "3.1")
@pytest.mark.parametrize(("how", "method"), [*product(BEARERS, ["GET", "POST"])])
def test_userinfo_refuses_whatever_is_no_token_of_ours(client, db, how, method):
    headers, status, error = BEARERS[how]
    answer = client.generic(method, "/oauth2/userinfo", headers=headers)
    assert answer.status_code == status
    assert answer["WWW-Authenticate"].startswith("Bearer")
    if error:
        assert f'error="{error}"' in answer["WWW-Authenticate"]
