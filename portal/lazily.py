"""Modules that packages import at their own start, and the server seldom or never uses: loaded by their first use."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

SELDOM = (
    "requests",  # by which the toolkit would ask another server what a token is worth; ours is never asked to
    "urllib3",  # by which the toolkit would fetch the metadata of clients; core/http_fetch.py does
    "cryptography.x509",  # by which jwcrypto and fido2 read certificates
)


class Seldom(ModuleType):
    """Stands in for a module until somebody asks for something in it."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def stand_in() -> None:
    for name in SELDOM:
        sys.modules.setdefault(name, Seldom(name))
