"""What the schemas of the REST API refuse, they refuse in words that say what to do."""

import pytest

from core.rest.errors import InvalidRequest
from core.rest.schemas import validate

MEMBER = {"type": "object", "required": ["email"], "properties": {"email": {"type": "string", "maxLength": 5}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000},
        "role": {"type": "string", "enum": ["manager", "viewer"]},
        "members": {"type": "array", "items": MEMBER, "maxItems": 2},
        "ends": {"type": "string", "format": "date-time"},
    },
    "patternProperties": {"^name#": {"type": "string"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("sent", "field", "told"),
    [
        ([], None, "The body: write an object."),
        ({"days": "7"}, "days", "days: write a whole number or null."),
        ({"days": True}, "days", "days: write a whole number or null."),
        ({"days": 1.5}, "days", "days: write a whole number or null."),
        ({"days": 0}, "days", "days: use 1 or more."),
        ({"days": 10**400}, "days", "days: use 10,000 or less."),
        ({"role": "owner"}, "role", "role: use manager or viewer."),
        ({"members": [{}, {}, {}]}, "members", "members: name at most 2."),
        ({"members": [{"email": "a@b"}, {}]}, "members", "members[1]: email is missing."),
        ({"members": [{"email": "long@long"}]}, "members", "members[0].email: shorten it to 5 characters."),
        (
            {"ends": "2027-01-31T12:00:00"},
            "ends",
            "ends: write a moment with its offset, such as 2027-01-31T12:00:00Z.",
        ),
        ({"name#de": 3}, "name#de", "name#de: write a text."),
        ({"x\x1b[2J": 3}, None, r"The body: x\x1b[2J is not known here. Check its spelling, or leave it out."),
    ],
)
def test_a_refusal_says_where_and_what(sent, field, told):
    with pytest.raises(InvalidRequest) as refused:
        validate(sent, SCHEMA)
    assert refused.value.description == told
    assert refused.value.field == field
