"""How a test and another program talk: a line of JSON each; the program asks for a browser, the person allows."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.third_party.person import Person


def converse(
    command: list[str], folder: Path, person: Person, told: dict[str, Any], environ: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run a program to its end, and return its results; the person does in their browser what it asks for."""
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def say(message: dict[str, Any]) -> None:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()

        try:
            say(told)
            for line in process.stdout:
                heard = json.loads(line)
                if "results" in heard:
                    return dict(heard["results"])
                if "device" in heard:
                    person.let_in(heard["device"])
                elif "leave" in heard:
                    say({"returned": person.leave(heard["leave"])})
                else:
                    say(person.bring(heard["open"]))
        except BaseException:
            process.kill()
            raise
    pytest.fail(f"{command[-1]} ended with status {process.wait()}; its words stand above.")
