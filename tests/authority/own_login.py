"""The provider's own login, as a program that answers Ory's challenges: with an operator's token, and no browser."""

from urllib.parse import parse_qs, quote, urlsplit

from tests.authority.flows import leads_to

LOGIN, CONSENT, LOGOUT = (f"https://login.example/{name}" for name in ("login", "consent", "logout"))
REQUESTS = "/admin/oauth2/auth/requests"


def path_of(address):
    """Return the address of ours without its host, as Django's test client takes it."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def challenge_of(response, address):
    """Return the challenge with which the browser is led to this address of the login."""
    location = leads_to(response)
    assert location.startswith(address), location
    [(name, [challenge])] = parse_qs(urlsplit(location).query).items()
    assert name == f"{address.rpartition('/')[2]}_challenge"
    return challenge


class OwnLogin:
    """`login.sign_in(flow)` takes a flow's browser through the login, and returns what it is told then."""

    def __init__(self, program):
        self.program = program

    def request(self, kind, challenge):
        return self.program.get(f"{REQUESTS}/{kind}?{kind}_challenge={quote(challenge)}")

    def answer(self, kind, verb, challenge, body=None):
        return self.program.put(f"{REQUESTS}/{kind}/{verb}?{kind}_challenge={quote(challenge)}", body)

    def accept_login(self, challenge, subject="user-4711", **members):
        answered = self.answer("login", "accept", challenge, {"subject": subject} | members)
        assert answered.status_code == 200, answered.json()
        return path_of(answered.json()["redirect_to"])

    def accept_consent(self, challenge, grant_scope=("openid", "shipments:read"), **members):
        answered = self.answer("consent", "accept", challenge, {"grant_scope": list(grant_scope)} | members)
        assert answered.status_code == 200, answered.json()
        return path_of(answered.json()["redirect_to"])

    def begin(self, flow, **members):
        """Log in; return the browser's next page, at the request without the verifier."""
        back = flow.browser.get(self.accept_login(challenge_of(flow.open(), LOGIN), **members))
        assert back.status_code == 303, back.content
        return flow.browser.get(back["Location"])

    def sign_in(self, flow, login=None, **consent):
        """Log in and consent; return the response to the client."""
        page = self.begin(flow, **(login or {}))
        return flow.browser.get(self.accept_consent(challenge_of(page, CONSENT), **consent))
