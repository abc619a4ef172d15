"""The WSGI callable that Granian serves."""

import multiprocessing
import os

from django.core.wsgi import get_wsgi_application

from portal import lazy_imports, startup

startup.prepare()
lazy_imports.install()  # before anything of INSTALLED_APPS is loaded
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django = get_wsgi_application()

from django.db import connection  # noqa: E402  # these need the applications loaded

from authority.keys import checks  # noqa: E402
from authority.telemetry import writer  # noqa: E402
from core import notifications  # noqa: E402
from portal.fast_path import FastPath  # noqa: E402
from portal.processes import end_with_parent  # noqa: E402

checks.exit_unless_decryptable()
if multiprocessing.parent_process() is not None:
    # Ctrl-C in a terminal reaches the whole process group. Out of it, a worker hears one signal: the server's own.
    os.setpgrp()
    end_with_parent()
application = FastPath(django)
connection.close()  # requests run in threads that have connections of their own
writer.start()
notifications.start()
