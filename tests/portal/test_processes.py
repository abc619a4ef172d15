"""Processes that others have started: they end with those, at whatever moment that is."""

import subprocess
import sys

import pytest
from django.conf import settings

ORPHAN = """
import os, time
from portal.processes import end_with_parent

parent = os.getpid()
if not os.fork():
    while os.getppid() == parent:
        time.sleep(0.001)
    end_with_parent(parent)
    print("it lives on", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_whose_parent_has_ended_before_it_asked_ends_too():
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
