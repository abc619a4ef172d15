"""Domains of connections: proven by a DNS record, or by an operator's word."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from connections.actions import domains
from connections.models import Connection, Domain, JoiningRule
from consumers.models import Event
from core.errors import Conflict, Refusal
from tests.connections.provider import ScriptedProvider, connect
from tests.factories import actor_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def name_server(settings):
    """A name server of our own: answers with `records`, by name."""
    records: dict[str, list[str]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    data, sender = door.recvfrom(4096)
                except OSError:
                    return
                asked = dns.message.from_wire(data)
                name = asked.question[0].name.to_text().rstrip(".")
                answer = dns.message.make_response(asked)
                if name == "_clientdesk.silent.example":
                    continue
                if name in records:
                    texts = [f'"{text}"' for text in records[name]]
                    answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *texts))
                else:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                door.sendto(answer.to_wire(), sender)

        threading.Thread(target=serve, daemon=True).start()
        settings.DNS_SERVERS = {"127.0.0.1": door.getsockname()[1]}
        yield records


@pytest.fixture
def new_domain(okta, olga):
    return domains.add_domain(connection=okta, name="New.Example ", actor=actor_for(olga))


def test_record_proves_the_domain(name_server, new_domain, olga):
    assert new_domain.name == "new.example"
    name_server["_clientdesk.new.example"] = ["v=spf1 -all", f"clientdesk-verify={new_domain.challenge}"]
    domains.check_domain(domain=new_domain, actor=actor_for(olga))
    new_domain.refresh_from_db()
    assert new_domain.verified_at
    assert new_domain.verified_by == "DNS record"
    assert Event.objects.get(name="connection.domain.verified").detail == {"domain": "new.example", "by": "DNS record"}


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (None, "There is no TXT record _clientdesk.new.example yet"),
        (["clientdesk-verify=another"], "says something else"),
    ],
)
def test_other_records_prove_nothing(name_server, new_domain, olga, records, sentence):
    if records:
        name_server["_clientdesk.new.example"] = records
    with pytest.raises(Refusal, match=sentence):
        domains.check_domain(domain=new_domain, actor=actor_for(olga))
    new_domain.refresh_from_db()
    assert not new_domain.verified_at
    assert new_domain.checked_at


def test_server_that_does_not_answer_is_waited_for_seconds_at_most(name_server, okta, olga, monkeypatch):
    from connections import dns_records

    monkeypatch.setattr(dns_records, "SECONDS", 0.5)
    domain = domains.add_domain(connection=okta, name="silent.example", actor=actor_for(olga))
    with pytest.raises(Refusal, match="No name server answers"):
        domains.check_domain(domain=domain, actor=actor_for(olga))


def test_domain_is_verified_for_one_connection_at_a_time(publisher, okta, olga):
    other = connect(ScriptedProvider(publisher, "/other"), slug="other")
    rival = domains.add_domain(connection=other, name="acme.example", actor=actor_for(olga))
    with pytest.raises(Conflict, match="Another connection is trusted"):
        domains.verify_domain(domain=rival, by="Olga Weber", actor=actor_for(olga))


@pytest.mark.parametrize("name", ["gmail.com", "GMAIL.com", "a b", "localhost", "", "acme.example/x", "x" * 260])
def test_domains_that_nobody_owns_are_refused(okta, olga, name):
    with pytest.raises(Refusal):
        domains.add_domain(connection=okta, name=name, actor=actor_for(olga))


def test_domain_in_other_letters_is_kept_in_ascii(okta, olga):
    assert domains.add_domain(connection=okta, name="Bücher.example", actor=actor_for(olga)).name == (
        "xn--bcher-kva.example"
    )


def test_domain_that_something_depends_on_stays(okta, olga, acme):
    domain = Domain.objects.get(name="acme.example")
    JoiningRule.objects.create(connection=okta, consumer=acme, kind="domain", value="acme.example")
    with pytest.raises(Refusal, match="Delete those rules first"):
        domains.remove_domain(domain=domain, actor=actor_for(olga))
    JoiningRule.objects.all().delete()
    Connection.objects.update(sign_in="required", required_at=okta.created_at)
    with pytest.raises(Refusal, match="required for this domain"):
        domains.remove_domain(domain=domain, actor=actor_for(olga))
    Connection.objects.update(sign_in="offered", required_at=None)
    domains.remove_domain(domain=domain, actor=actor_for(olga))
    assert not Domain.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "domain", "value": "other.example"}, "no verified domain"),
        ({"kind": "group", "value": " "}, "Enter the group"),
    ],
)
def test_rules_that_can_match_nobody_are_refused(okta, olga, acme, fields, sentence):
    rule = JoiningRule(connection=okta, consumer=acme, **fields)
    with pytest.raises(Refusal, match=sentence):
        domains.create_rule(rule=rule, actor=actor_for(olga))


def test_rule_for_a_consumer_that_the_connection_is_not_for_is_refused(okta, olga, acme, globex):
    okta.consumers.add(globex)
    with pytest.raises(Refusal, match="is not for Acme Logistics"):
        domains.create_rule(
            rule=JoiningRule(connection=okta, consumer=acme, kind="group", value="a"), actor=actor_for(olga)
        )
