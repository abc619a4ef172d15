import pytest

from consumers.models import Event


@pytest.fixture
def recorded(db):
    """Return the events since the test began, as name and detail."""
    before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def events():
        found = Event.objects.filter(pk__gt=before).order_by("pk")
        return [(event.name, event.detail) for event in found]

    return events
