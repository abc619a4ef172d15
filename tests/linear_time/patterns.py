"""Every regular expression of the project, and texts that are hostile to it."""

import ast
import importlib
import itertools
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

from django.apps import apps
from django.core.validators import RegexValidator
from django.forms import Field as FormField
from django.urls import URLPattern, URLResolver, get_resolver

from tests.linear_time.timing import Parts
from tests.test_architecture import CODE, ROOMS, named, nodes

STARTS_A_SERVER = {"portal.wsgi"}
# Patterns that are made as they are needed, of our own words. Those that read texts of strangers are tried as parsers.
MADE_OF_OUR_WORDS = {
    "clients/federation/platforms.py",  # `mentioned_in`, of the keywords in that file
    "consumers/actions/erasure.py",  # of an address, escaped, on the command line
    "consumers/rest/routes.py",  # of our own templates, into the URL map
}
METHODS = ("search", "match", "fullmatch", "sub", "split", "findall", "finditer")


def modules() -> Iterator[object]:
    for room in ROOMS:
        package = importlib.import_module(room)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if found.name not in STARTS_A_SERVER:
                yield importlib.import_module(found.name)


def within(value: object, depth: int = 4) -> Iterator[re.Pattern]:
    """Yield the patterns of a value, in containers too."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from within(each, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from within(each, depth - 1)
    elif depth and type(value).__module__.split(".")[0] in ROOMS and hasattr(value, "__dict__"):
        yield from within(vars(value), depth - 1)


def uses_of_names() -> dict[str, set[str]]:
    """Return with which methods the code uses each name: `NAME.fullmatch(…)`."""
    found = defaultdict(set)
    for path in CODE:
        for node in nodes(path, ast.Attribute):
            if node.attr in METHODS and isinstance(node.value, ast.Name | ast.Attribute):
                found[getattr(node.value, "id", "") or node.value.attr].add(node.attr)
    return found


def calls_of_re() -> Iterator[tuple[str, ast.Call, bool]]:
    """Yield each call of the module `re`, with its file, and whether it stands at the top of it."""
    for path in CODE:
        assert not [each for each in nodes(path, ast.ImportFrom) if each.module == "re"], path
        tree = ast.parse(path.read_text())
        inner = {
            id(below)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for below in ast.walk(node)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr != "escape"
            ):
                yield named(path), node, id(node) not in inner


def inline_patterns() -> Iterator[tuple[str, re.Pattern, set[str]]]:
    for place, call, at_top in calls_of_re():
        if call.func.attr == "compile" and at_top:
            continue  # the walk through the modules finds it
        if place in MADE_OF_OUR_WORDS:
            continue
        given = call.args[0]
        assert isinstance(given, ast.Constant), f"{place}:{call.lineno} makes a pattern of something: compile it once"
        flags = 0
        for flag in ast.walk(call):
            if isinstance(flag, ast.Attribute) and isinstance(getattr(re, flag.attr, None), re.RegexFlag):
                flags |= getattr(re, flag.attr)
        yield f"{place}:{call.lineno}", re.compile(given.value, flags), {call.func.attr}


def url_patterns(resolver: URLResolver) -> Iterator[object]:
    for each in resolver.url_patterns:
        assert isinstance(each, URLPattern | URLResolver)
        yield each.pattern
        if isinstance(each, URLResolver):
            yield from url_patterns(each)


def validators() -> Iterator[RegexValidator]:
    for model in apps.get_models():
        if model.__module__.split(".")[0] in ROOMS:
            for field in model._meta.get_fields():
                yield from (each for each in getattr(field, "validators", ()) if isinstance(each, RegexValidator))
    for module in modules():
        for value in vars(module).values():
            for field in getattr(value, "base_fields", {}).values():
                if isinstance(field, FormField):
                    yield from (each for each in field.validators if isinstance(each, RegexValidator))


@cache
def patterns() -> dict[str, tuple[re.Pattern, frozenset[str]]]:
    """Return every pattern that strangers' texts may meet, by its place, and the methods by which it is used."""
    uses, found = uses_of_names(), {}
    for module in modules():
        for name, value in vars(module).items():
            for number, pattern in enumerate(within(value)):
                simple = isinstance(value, re.Pattern)
                used = frozenset(uses[name]) if simple and uses[name] else frozenset(["search", "fullmatch"])
                found[f"{module.__name__}.{name}{'' if simple else number}"] = (pattern, used)
    for place, pattern, used in inline_patterns():
        found[place] = (pattern, frozenset(used))
    for validator in validators():
        found[f"validator {validator.regex.pattern}"] = (validator.regex, frozenset(["search"]))
    for pattern in url_patterns(get_resolver()):
        if hasattr(pattern, "regex"):
            found[f"URL {pattern.regex.pattern}"] = (pattern.regex, frozenset(["search"]))
    return found


EXAMPLES = {"WORD": "a_é", "DIGIT": "0", "SPACE": " \t\n"}


def parts_of(argument: object) -> list[object]:
    """Return the parts of a pattern that are within a part of it, such as its branches and what is repeated."""
    if isinstance(argument, parser.SubPattern):
        return [argument]
    if isinstance(argument, list):
        return [argument] if argument and isinstance(argument[0], tuple) else argument
    if isinstance(argument, tuple):
        return [part for each in argument for part in parts_of(each)]
    return []


def flat(tokens: object) -> Iterator[tuple[object, object]]:
    for operation, argument in tokens:
        yield operation, argument
        for part in parts_of(argument):
            yield from flat(part)
            yield None, None


def alphabet(pattern: re.Pattern) -> tuple[list[str], list[str]]:
    """Return the words that a pattern names, and characters that its classes hold or lack."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    words, characters, word = {}, {}, ""
    for operation, argument in [*flat(parser.parse(source, pattern.flags & ~re.UNICODE)), (None, None)]:
        if operation is constants.LITERAL:
            word += chr(argument)
        elif word:
            words[word], word = None, ""
        if operation in (constants.LITERAL, constants.NOT_LITERAL):
            characters[chr(argument)] = None
        elif operation is constants.RANGE:
            characters |= dict.fromkeys(map(chr, argument))
        elif operation is constants.CATEGORY:
            characters |= dict.fromkeys("".join(EXAMPLES[kind] for kind in EXAMPLES if kind in str(argument)))
    few = [*characters] if len(characters) <= 16 else [*characters][:8] + [*characters][-8:]
    return [each for each in words if len(each) > 1], few


def hostile_to(pattern: re.Pattern) -> Iterator[Parts]:
    """Yield texts made of a pattern's own characters: a beginning, what is repeated, and an end that fits nothing."""
    words, characters = alphabet(pattern)
    characters += ["!", "."]
    units = [*characters, *words]
    units += ["".join(pair) for pair in itertools.permutations(characters, 2)]
    units += [first + second for first in words for second in (*characters, *words)]
    units += [word + pad * 12 for word in words for pad in characters]  # past the least of a count
    heads = ["", "".join(words), *words]
    for unit in dict.fromkeys(units):
        for head in dict.fromkeys(heads):
            for tail in ("", "\0"):
                yield head, unit, tail
