"""Whom the portal trusts, over the management API: platforms, publishers of software, hosts of documents."""

import pytest

from clients.models import DocumentHost, SoftwareIssuer, TrustedIssuer
from consumers.models import Event

pytestmark = pytest.mark.django_db

PLATFORMS = "/admin/trusted-issuers"
GITHUB = {"name": "GitHub", "platform": "github", "issuer": "https://token.actions.githubusercontent.com"}
SOURCES = {
    "/admin/registration/software-issuers": (
        SoftwareIssuer,
        {"issuer": "https://publisher.example.com", "jwks_uri": "https://publisher.example.com/keys"},
        {"required": True},
    ),
    "/admin/registration/document-hosts": (
        DocumentHost,
        {"host": "apps.example.com", "consumer": "acme"},
        {"client_lifetime_days": 30, "scopes": ["openid"]},
    ),
}


def test_an_operator_trusts_changes_disables_and_removes_a_platform(olga, acme, program_of):
    program = program_of(olga)
    made = program.post(PLATFORMS, GITHUB)
    assert made.status_code == 201, made.text
    path = f"{PLATFORMS}/{made.json()['id']}"
    changed = program.put(path, GITHUB | {"name": "Actions", "consumer": "acme"}).json()
    assert (changed["name"], changed["consumer"], changed["disabled"]) == ("Actions", "acme", False)
    assert program.post(f"{path}/disable").json()["disabled"] is True
    assert program.post(f"{path}/enable").json()["disabled"] is False
    assert program.delete(path).status_code == 204
    assert program.get(PLATFORMS).json() == []
    names = list(Event.objects.filter(name__startswith="trusted_issuer.").values_list("name", flat=True))
    assert len(names) == 5


def test_managers_see_the_platforms_that_they_may_make_rules_for(olga, alice, mallory, acme, globex, program_of):
    operator = program_of(olga)
    for name, consumer in {"everybody": None, "acme": "acme", "globex": "globex", "gone": None}.items():
        wanted = GITHUB | {"name": name, "issuer": f"https://{name}.example.com", "consumer": consumer}
        made = operator.post(PLATFORMS, wanted)
        assert made.status_code == 201, made.text
    operator.post(f"{PLATFORMS}/{made.json()['id']}/disable")
    assert [each["name"] for each in program_of(alice).get(PLATFORMS).json()] == ["everybody", "acme"]
    assert [each["name"] for each in program_of(mallory).get(PLATFORMS).json()] == ["everybody", "globex"]
    assert len(operator.get(PLATFORMS).json()) == 4


def test_a_platforms_issuer_stays(olga, program_of):
    program = program_of(olga)
    path = f"{PLATFORMS}/{program.post(PLATFORMS, GITHUB).json()['id']}"
    assert program.put(path, GITHUB | {"issuer": "https://other.example.com"}).status_code == 400
    assert program.put(path, GITHUB | {"platform": "gitlab"}).status_code == 400
    assert program.post(PLATFORMS, GITHUB).status_code == 409
    assert TrustedIssuer.objects.get().issuer == GITHUB["issuer"]


@pytest.mark.parametrize("path", SOURCES)
def test_an_operator_adds_changes_and_removes_who_describes_clients(path, olga, acme, acme_access, program_of):
    program = program_of(olga)
    model, wanted, more = SOURCES[path]
    made = program.post(path, wanted)
    assert made.status_code == 201, made.text
    assert program.post(path, wanted).status_code == 409
    one = f"{path}/{made.json()['id']}"
    changed = program.put(one, wanted | more).json()
    assert {name: changed[name] for name in more} == more
    back = program.put(one, wanted).json()
    assert back == made.json()
    assert program.get(path).json() == [back]
    assert program.delete(one).status_code == 204
    assert not model.objects.exists()
    assert Event.objects.filter(name__startswith="registration.source").count() == 4


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        (PLATFORMS, GITHUB | {"issuer": "https://127.0.0.1/x"}),
        (PLATFORMS, GITHUB | {"jwks": {"keys": []}}),
        (PLATFORMS, GITHUB | {"consumer": "nobody"}),
        (PLATFORMS, GITHUB | {"platform": "mainframe"}),
        (PLATFORMS, GITHUB | {"unknown": 1}),
        ("/admin/registration/software-issuers", {"issuer": "https://p.example.com"}),
        ("/admin/registration/software-issuers", {"issuer": "p", "jwks_uri": "http://p.example.com/keys"}),
        ("/admin/registration/software-issuers", {"issuer": "p", "jwks_uri": "https://10.0.0.1/keys"}),
        ("/admin/registration/software-issuers", {"issuer": "p", "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}),
        ("/admin/registration/document-hosts", {"host": "https://apps.example.com", "consumer": "acme"}),
        ("/admin/registration/document-hosts", {"host": "apps.example.com", "consumer": "nobody"}),
        ("/admin/registration/document-hosts", {"host": "a.example.com", "consumer": "acme", "scopes": ["other:read"]}),
        (
            "/admin/registration/document-hosts",
            {"host": "a.example.com", "consumer": "acme", "client_lifetime_days": 0},
        ),
    ],
)
def test_what_could_not_be_trusted_is_refused_and_said(path, bad, olga, acme, program_of):
    answer = program_of(olga).post(path, bad)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_description"]
    assert program_of(olga).get(path).json() == []


@pytest.mark.parametrize("path", [PLATFORMS, *SOURCES])
def test_managers_decide_nothing_about_whom_the_portal_trusts(path, alice, acme, program_of):
    program = program_of(alice)
    wanted = GITHUB if path == PLATFORMS else SOURCES[path][1]
    for answer in (program.post(path, wanted), program.put(f"{path}/1", wanted), program.delete(f"{path}/1")):
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    if path != PLATFORMS:
        assert program.get(path).status_code == 403
