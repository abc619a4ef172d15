"""A page of your own application, whose people go on into their workspace without another sign-in."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

PORTAL, TOKEN, PORT = os.environ["PORTAL"], os.environ["PORTAL_TOKEN"], int(os.environ.get("PORT", "8003"))
# Whom your application has signed in, and whose they are: yours knows both, and asks nobody's form for them.
PERSON = {"email": "dana@acme.example", "name": "Dana Fox", "role": "manager"}
LINKS = f"{PORTAL}/admin/consumers/acme/portal-links"
PAGE = b'<!doctype html><title>My app</title><form method="post"><button>Manage API access</button></form>'


class App(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)

    def do_POST(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        body = json.dumps(PERSON | {"return_to": f"http://127.0.0.1:{PORT}/"}).encode()
        with urlopen(Request(LINKS, body, headers), timeout=10) as answer:
            url = json.load(answer)["url"]
        self.send_response(303)  # at once: the link works for five minutes, for whoever opens it first
        self.send_header("Location", url)
        self.end_headers()


HTTPServer(("127.0.0.1", PORT), App).serve_forever()
