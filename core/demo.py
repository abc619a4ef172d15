"""Whether this is the demo, whose passwords are known."""

from django.conf import settings

from core.models import DemoMark


def is_demo() -> bool:
    """Say whether server and database are the demo's: no variable makes this production, and `manage.py demo` ran."""
    return settings.DEMO and DemoMark.objects.exists()
