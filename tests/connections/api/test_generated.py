"""Requests about connections that are generated from the description, sent by an operator: none is a fault."""

import json
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from portal.api.openapi import description, operations
from tests.generated import examples

pytestmark = pytest.mark.django_db

OURS = [pytest.param(*each, id=each[2].id) for each in operations() if each[2].tag == "Connections"]
KNOWN = {"connection": "acme-okta", "domain": "acme.example", "consumer": "acme"}


@pytest.fixture(scope="module")
def schema():
    return schemathesis.openapi.from_dict(description())


@pytest.mark.parametrize(("template", "method", "operation"), OURS)
def test_every_answer_to_an_operator_is_a_described_one(
    template, method, operation, schema, program, okta, acme, name_server, monkeypatch
):
    monkeypatch.setattr("consumers.rest.callers.PER_TOKEN", 100_000)
    program.browser.raise_request_exception = False
    described = schema[template][method]
    cases = described.as_strategy()
    if operation.body is not None:
        cases |= described.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    statuses = {int(each) for each in description()["paths"][template][method.lower()]["responses"]}

    @settings(
        max_examples=examples(15), phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
    )
    @given(case=cases, is_known=st.booleans())
    def ask(case, is_known):
        ids = {name: quote(str(value), safe="") or "-" for name, value in (case.path_parameters or {}).items()}
        path = template.format(**ids | (KNOWN if is_known else {}))
        query = urlencode(case.query or {}, doseq=True, errors="surrogatepass")
        body = None if operation.body is None else json.dumps(case.body, default=str)
        answer = program.send(method, f"{path}?{query}" if query else path, body)
        assert answer.status_code in statuses, (path, body, answer.text)

    ask()
