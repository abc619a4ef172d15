"""The WSGI callable, for any server of the interface; `manage.py serve` has its own (portal/server)."""

import os

from django.core.wsgi import get_wsgi_application

from portal import startup

startup.prepare()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from authority.keys import checks  # noqa: E402  # these need the applications loaded
from portal import peppers  # noqa: E402

checks.exit_unless_decryptable()
peppers.exit_unless_complete()
