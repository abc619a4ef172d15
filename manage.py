#!/usr/bin/env python
"""Django's command line, on the embedded database when DATABASE_URL names no other."""

import os
import sys

from django.core.management import execute_from_command_line

from portal import lazy_imports
from portal.startup import prepare

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    prepare()
    if sys.argv[1:2] == ["serve"]:
        lazy_imports.install()  # before anything of INSTALLED_APPS is loaded
    execute_from_command_line(sys.argv)
