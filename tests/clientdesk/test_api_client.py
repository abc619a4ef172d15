"""The client of the REST API: pages, retries, and servers that are not Clientdesk."""

import ssl
from itertools import islice

import httpx
import pytest

from clientdesk.api_client import ApiClient
from clientdesk.errors import FAILED, NOT_ALLOWED, NOT_FOUND, UNREACHABLE, USAGE, CommandError
from tests.clientdesk.conftest import Terminal


@pytest.fixture
def operator(server):
    with ApiClient(server.url, server.demo["operator_token"]) as api:
        yield api


def test_list_is_read_to_its_end_whatever_its_filter_and_each_row_once(operator):
    for consumer in ("acme", None):
        whole = [row["client_id"] for row in operator.list_all("/admin/clients", page_size=500, consumer=consumer)]
        assert len(whole) > 2
        pages = list(islice(operator.pages("/admin/clients", page_size=2, consumer=consumer), len(whole)))
        assert [row["client_id"] for page in pages for row in page.rows] == whole
        assert len(pages) == -(-len(whole) // 2)


@pytest.mark.parametrize("odd", ["", ".", ".."])
def test_id_that_would_lead_elsewhere_is_refused_unsent(offline, odd):
    for command in (["get", "client", odd], ["revoke", "secret", "cl_nobody", odd], ["get", "consumer", odd]):
        answer = offline.call(*command)
        assert (answer.status, answer.err) == (USAGE, f"“{odd}” is not an ID.\n")


def test_tls_where_none_is_spoken_is_told(server, tmp_path):
    answer = Terminal(server.url.replace("http:", "https:"), "cdp_nobody", tmp_path).call("list", "consumers")
    assert answer.status == UNREACHABLE
    assert "http://" in answer.err


def fails(error):
    def handle(request):
        raise error

    return handle


@pytest.mark.parametrize(
    ("handle", "status", "sentence"),
    [
        (lambda _: httpx.Response(404, html="<h1>"), NOT_FOUND, "not as Clientdesk does"),
        (lambda _: httpx.Response(403, html="<h1>"), NOT_ALLOWED, "not as Clientdesk does"),
        (lambda _: httpx.Response(502, html="<h1>"), FAILED, "502 Bad Gateway"),
        (lambda _: httpx.Response(301, headers={"Location": "https://b.example/x"}), FAILED, "https://b.example?"),
        (lambda _: httpx.Response(200, html="<h1>"), FAILED, "not answer as Clientdesk does"),
        (lambda _: httpx.Response(200, json=["a"]), FAILED, "not answer as Clientdesk does"),
        (lambda _: httpx.Response(200, json={"issuer": "a"}), FAILED, "not answer as Clientdesk does"),
        (fails(httpx.ReadTimeout("")), UNREACHABLE, "in time"),
        (
            fails(httpx.ConnectError(str(ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")))),
            UNREACHABLE,
            "SSL_CERT_FILE",
        ),
    ],
)
def test_server_that_is_another_is_recognised(handle, status, sentence):
    remote = ApiClient("https://a.example", transport=httpx.MockTransport(handle))
    with pytest.raises(CommandError, match=r"a\.example") as caught:
        remote.discovery()
    assert caught.value.status == status
    assert sentence in str(caught.value)
