"""Pages that lend their person's power, put into a frame by another site: the browser shows nothing of them."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

import pytest


@contextmanager
def site_with(body):
    """Another origin whose pages are this; of our site, so that the browser sends its frames our cookies."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.browser
@pytest.mark.compliance("RFC 9700", "4.16")
def test_no_page_that_asks_for_a_decision_can_be_framed(visitor, server):
    web = server.demo["clients"]["web"]
    request = {
        "response_type": "code",
        "client_id": web["client_id"],
        "redirect_uri": web["redirect_uris"][0],
        "scope": "openid",
        "prompt": "consent",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    asks = "/oauth2/authorize?" + urlencode(request)
    alice, manager = visitor(), server.demo["managers"][0]
    alice.sign_in(manager["email"], manager["password"])
    page = alice.open(asks)
    assert page.get_by_role("button", name="Allow").is_visible()
    addresses = [server.url + path for path in (asks, "/oauth2/logout", "/device", "/account/apps/")]
    frames = "".join(f'<iframe src="{address.replace("&", "&amp;")}"></iframe>' for address in addresses)
    refused = {}
    page.on(
        "requestfailed", lambda request: request.url in addresses and refused.update({request.url: request.failure})
    )
    with site_with(frames) as evil:
        page.goto(evil)
        while len(refused) < len(addresses):
            page.wait_for_timeout(50)
        for frame in page.frames[1:]:
            frame.wait_for_url("chrome-error://chromewebdata/")
    assert refused == dict.fromkeys(addresses, "net::ERR_BLOCKED_BY_RESPONSE")
    assert len(page.frames) == 1 + len(addresses)
    page.close()  # after which the browser complains no more
    alice.complaints.clear()
