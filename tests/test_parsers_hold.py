"""Whatever strangers send, each parser reads it or refuses it: nothing else comes out, so no door answers 5xx.

The parsers are those of tests/linear_time. Texts are arbitrary, or put together of what such parsers look for.
`make fuzz` draws others in each run, and many more.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generated import examples
from tests.linear_time.test_parsers import PARSERS, attempt
from tests.linear_time.timing import HEADS, UNITS

CHARACTERS = st.characters(exclude_categories=[])  # lone surrogates too, which JSON can escape
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=300),
    st.text(st.characters(max_codepoint=255), max_size=300),  # what a header can hold
    st.builds(lambda head, units: head + "".join(units), st.sampled_from(HEADS), st.lists(st.sampled_from(UNITS))),
)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_reads_or_refuses(name):
    @settings(max_examples=examples(25), database=None)
    @given(TEXTS)
    def holds(text):
        attempt(PARSERS[name], text)

    holds()
