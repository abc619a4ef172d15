"""The pages about connections say what is so."""

import json
import re

import pytest
import yaml
from django.conf import settings

from connections.configuration.reading import FILE, parse
from connections.presets import PRESETS, PresetName
from connections.relying_party.failures import WORDS
from core.rest.schemas import validate
from tests.connections.failures_table import PAGE, written

PAGES = settings.BASE_DIR / "docs" / "connections"
NAMES = {PresetName.ANY: "other"}


def test_table_of_failures_is_up_to_date():
    """Write the page again: uv run python -m tests.connections.failures_table."""
    page = PAGE.read_text()
    assert written(page) == page
    assert all(f"| `{reason}` |" in page for reason in WORDS)


@pytest.mark.parametrize("preset", PresetName)
def test_each_product_has_a_page_with_the_values_of_its_preset(preset):
    page, product = (PAGES / f"{NAMES.get(preset, preset)}.md").read_text(), PRESETS[preset]
    rows = dict(re.findall(r"^\| (\w[\w ]*) \| (.+) \|$", page, re.MULTILINE))
    assert f"| Preset `{preset}` | |" in page

    def shown(value: str) -> str:
        return f"`{value}`" if value else "none"

    assert rows["Issuer"] == shown(product.issuer)
    assert rows["Scopes"] == shown(" ".join(product.scopes))
    assert rows["Email is verified"] == shown(product.verified_claim)
    assert rows["Groups"] == shown(product.groups_claim)
    assert rows["Domain"] == shown(product.domain_claim)
    assert f"(connections/{NAMES.get(preset, preset)}.md)" in PAGE.read_text()


def test_the_example_of_the_file_is_one():
    (example,) = re.findall(r"```yaml\n(.+?)```", PAGE.read_text(), re.DOTALL)
    document = parse(example.encode(), is_json=False)
    validate(document, FILE)
    assert document == yaml.safe_load(example)
    assert json.dumps(document).count("acme-okta") == 1
