"""A workload that gets identity tokens, and what is in tokens."""

import json
from base64 import urlsafe_b64decode

from django.urls import reverse

from authority import client_directory
from authority.keys import workload_issuer
from authority.tokens import access_tokens
from tests.authority.conftest import Program

BACKEND = "https://backend.example.com"


class WorkloadProgram(Program):
    def at(self, name):
        return reverse(f"workload-{name}", args=[workload_issuer.issuer_name()])

    def identity(self, **parameters):
        return self.post(self.at("token"), parameters)

    def ask(self, query=None, **headers):
        return self.http.get(self.at("identity-token"), query or {}, headers=self.authorization | headers)


def parts(token):
    return [json.loads(urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def own_token(program, scopes=(), seconds=60):
    """Return an access token of the client that is for us, not for an API."""
    return access_tokens.token_template(
        client_directory.find(program.client.client_id), scopes=list(scopes), seconds=seconds
    ).issue()
