"""`manage.py work`: deliver mail, rotate keys and clean up, until told to stop."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from authority.keys import checks
from core.db.backend.base import WORKER, bound_waits
from portal import connections_file, peppers
from portal.database_version import refuse_unknown_database
from portal.worker import Worker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Deliver mail, rotate keys and clean up, until SIGTERM or Ctrl-C. Run one beside the web servers, or more."

    def handle(self, **options: Any) -> None:
        refuse_unknown_database()
        checks.exit_unless_decryptable()
        peppers.exit_unless_complete()
        connections_file.exit_unless_applied()
        bound_waits(WORKER)
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        logger.info("the worker is ready")
        Worker(stop).run()
        logger.info("the worker has stopped")
