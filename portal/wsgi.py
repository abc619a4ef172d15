"""The WSGI callable that Granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from authority import checks, usage  # noqa: E402  # needs the applications loaded

checks.refuse_to_start_sealed()
usage.start()
