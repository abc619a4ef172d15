"""The WSGI callable that Granian serves."""

import multiprocessing
import os
import signal

from django.core.wsgi import get_wsgi_application

from portal import lazy_imports, startup
from portal.processes import end_with_parent

server = multiprocessing.parent_process()
if server is not None and server.pid is not None:
    # Ctrl-C in a terminal reaches the whole process group. Out of it, a worker hears one signal: the server's own.
    os.setpgrp()
    # A web process that outlived the server would keep its port, and answer with what the code was then. Granian can
    # miss another signal in the moment in which a worker begins to serve.
    end_with_parent(server.pid, signal.SIGKILL)
startup.prepare()
lazy_imports.install()  # before anything of INSTALLED_APPS is loaded
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django = get_wsgi_application()

from django.db import connection  # noqa: E402  # these need the applications loaded

from authority.keys import checks  # noqa: E402
from authority.telemetry import writer  # noqa: E402
from core import notifications  # noqa: E402
from portal.fast_path import FastPath  # noqa: E402

checks.exit_unless_decryptable()
application = FastPath(django)
connection.close()  # requests run in threads that have connections of their own
writer.start()
notifications.start()
