"""What others send as JSON reads one way or not at all (RFC 8259, RFC 7493)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import foreign_json
from core.foreign_json import MAX_DEPTH, Fault, InvalidJSON

MAX_BYTES = 10_000
HOSTILE = {
    "nothing": (b"", Fault.SYNTAX),
    "blanks": (b" \n", Fault.SYNTAX),
    "half an object": (b'{"a": 1', Fault.SYNTAX),
    "two values": (b"{} {}", Fault.SYNTAX),
    "single quotes": (b"{'a': 1}", Fault.SYNTAX),
    "a comma at the end": (b"[1,]", Fault.SYNTAX),
    "a comment": (b"[1] // one", Fault.SYNTAX),
    "a leading zero": (b"[01]", Fault.SYNTAX),
    "a plus sign": (b"[+1]", Fault.SYNTAX),
    "a byte order mark": (b"\xef\xbb\xbf{}", Fault.SYNTAX),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), Fault.SYNTAX),
    "bytes that are no UTF-8": (b'"\xff"', Fault.SYNTAX),
    "an overlong encoding": (b'"\xc0\x80"', Fault.SYNTAX),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', Fault.SYNTAX),
    "a bare NUL": (b'"\0"', Fault.SYNTAX),
    "a bare line end": (b'"\n"', Fault.SYNTAX),
    "text with half a pair": ('"\ud800"', Fault.SYNTAX),
    "an escaped NUL": (rb'"a\u0000b"', Fault.CHARACTER),
    "a NUL in a name": (rb'{"a\u0000": 1}', Fault.CHARACTER),
    "half a pair": (rb'["\ud800"]', Fault.CHARACTER),
    "the other half": (rb'{"a": {"b": "\udfff"}}', Fault.CHARACTER),
    "halves in the wrong order": (rb'"\udc00\ud800"', Fault.CHARACTER),
    "half a pair in a name": (rb'{"\ud83d": 1}', Fault.CHARACTER),
    "NaN": (b'{"a": NaN}', Fault.CONSTANT),
    "Infinity": (b"[Infinity]", Fault.CONSTANT),
    "-Infinity": (b"-Infinity", Fault.CONSTANT),
    "a number beyond all": (b"1e999", Fault.NUMBER),
    "one below all": (b"[-1.5e400]", Fault.NUMBER),
    "five thousand digits": (b"9" * 5_000, Fault.SYNTAX),
    "a member twice": (b'{"a": 1, "a": 1}', Fault.DUPLICATE),
    "a member twice, deep down": (b'[{"a": {"b": 1, "c": 2, "b": 3}}]', Fault.DUPLICATE),
    "a member twice, once escaped": (rb'{"a": 1, "\u0061": 2}', Fault.DUPLICATE),
    "too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), Fault.DEPTH),
    "too deep in objects": (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), Fault.DEPTH),
    "too deep and empty": (b'{"a":' * MAX_DEPTH + b"{}" + b"}" * MAX_DEPTH, Fault.DEPTH),
    "without end": (b"[" * 9_000 + b"]" * 900, Fault.SYNTAX),
    "a byte too long": (b'"' + b"x" * (MAX_BYTES - 1) + b'"', Fault.TOO_LARGE),
    "long in UTF-8 alone": ('"' + "ä" * (MAX_BYTES // 2) + '"', Fault.TOO_LARGE),
}


@pytest.mark.compliance("RFC 7493", "2")
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_refused(case):
    text, fault = HOSTILE[case]
    with pytest.raises(InvalidJSON) as refused:
        foreign_json.loads(text, max_bytes=MAX_BYTES)
    assert refused.value.fault is fault


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" null ", None),
        (b'"\xc3\xa4"', "ä"),
        ('"ä"', "ä"),
        (rb'"\ud83d\ude00"', "😀"),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
        (b"[[], [], []]" * 1, [[], [], []]),
        (b"[" + b"[]," * 100 + b"{}]", [[]] * 100 + [{}]),
        (b'"' + b"x" * (MAX_BYTES - 2) + b'"', "x" * (MAX_BYTES - 2)),
    ],
)
def test_good_text_is_read(text, value):
    assert foreign_json.loads(text, max_bytes=MAX_BYTES) == value


@pytest.mark.compliance("RFC 8259", "6")
def test_whole_numbers_may_be_written_with_a_point():
    text = b"[7.0, -1e2, 1.5, 1e300, 9007199254740993.0]"
    read = foreign_json.loads(text, max_bytes=MAX_BYTES, integers=True)
    assert [type(each) for each in read] == [int, int, float, float, float]
    assert read[:3] == [7, -100, 1.5]
    assert {type(each) for each in foreign_json.loads(text, max_bytes=MAX_BYTES)} == {float}


storable = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | storable,
    lambda inner: st.lists(inner) | st.dictionaries(storable, inner),
    max_leaves=30,
)


@given(values, st.booleans())
def test_whatever_can_be_stored_is_read_as_it_was_written(value, ascii_alone):
    text = json.dumps(value, ensure_ascii=ascii_alone)
    if _depth(value) <= MAX_DEPTH:
        assert foreign_json.loads(text, max_bytes=1_000_000) == value


@given(st.text(st.sampled_from(list('{}[]":,\\u0d8\0\ud800aeEN.-1 ')), max_size=60) | st.text(), st.booleans())
def test_any_text_is_refused_or_read_as_the_standard_library_reads_it(text, as_bytes):
    sent = text.encode("utf-8", "surrogatepass") if as_bytes else text
    try:
        value = foreign_json.loads(sent, max_bytes=1_000_000)
    except InvalidJSON:
        return
    assert value == json.loads(text)
    written = json.dumps(value, ensure_ascii=False, allow_nan=False)  # neither NaN nor Infinity
    assert "\\u0000" not in written
    written.encode()  # and no half of a pair


@given(st.integers(1, 3 * MAX_DEPTH), st.sampled_from([("[", "]"), ('{"a":', "}")]))
def test_depth_has_one_limit_in_lists_and_objects(depth, brackets):
    before, after = brackets
    text = before * depth + "1" + after * depth
    if depth <= MAX_DEPTH:
        assert foreign_json.loads(text, max_bytes=1_000_000) == json.loads(text)
    else:
        with pytest.raises(InvalidJSON):
            foreign_json.loads(text, max_bytes=1_000_000)


def _depth(value) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0
