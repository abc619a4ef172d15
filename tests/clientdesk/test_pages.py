"""Lists that are longer than a page, as the terminal reads them."""

from itertools import islice

import pytest

from clientdesk.remote import Remote


@pytest.fixture
def operator(server):
    return Remote(server.url, server.demo["operator_token"])


def test_list_is_read_to_its_end_whatever_its_filter_and_each_row_once(operator):
    for consumer in ("acme", None):
        whole = [row["client_id"] for row in operator.everything("/admin/clients", page_size=500, consumer=consumer)]
        assert len(whole) > 2
        pages = list(islice(operator.pages("/admin/clients", page_size=2, consumer=consumer), len(whole)))
        assert [row["client_id"] for page in pages for row in page.rows] == whole
        assert len(pages) == -(-len(whole) // 2)
