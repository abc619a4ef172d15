"""Hypothesis's profiles: `steady` draws the same examples in each run, `nightly` new ones, and many more.

A run in which an example fails now and then helps nobody at work, and one that never draws a new example finds nothing.
`make fuzz` runs the generated tests by the second profile, and prints how to repeat what fails.
"""

import os

import hypothesis

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "steady")
TIMES = {"steady": 1, "nightly": 20}
# The machine may be busy. So no example is too slow for a test: what hangs is ended by pytest.
_SHARED = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
}
hypothesis.settings.register_profile("steady", derandomize=True, **_SHARED)
hypothesis.settings.register_profile("nightly", derandomize=False, print_blob=True, **_SHARED)


def examples(number: int) -> int:
    """Return how many examples a test draws that draws `number` in a steady run."""
    return number * TIMES[PROFILE]
