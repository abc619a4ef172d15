"""Writes docs/standards.md: which test shows which requirement of which specification. `python -m tests.standards`."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "standards.md"
HEAD = """# Standards, requirement by requirement

Each line is a test of the suite that shows a requirement of a specification: its name is the requirement. The page is
made from the tests' `compliance` markers by `uv run python -m tests.standards`; a test fails when it is out of date.
What OpenID's own conformance profiles check is in [conformance.md](conformance.md).
"""


@dataclass(frozen=True)
class Shown:
    spec: str
    section: str
    test: str
    path: str
    line: int

    @property
    def requirement(self) -> str:
        text = self.test.removeprefix("test_").replace("_", " ")
        return text[0].upper() + text[1:]


def shown() -> Iterator[Shown]:
    """Yield what each marked test shows."""
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        if "node_modules" in path.parts:
            continue
        module = ast.parse(path.read_text())
        known = {ast.unparse(each.targets[0]): each.value for each in module.body if isinstance(each, ast.Assign)}
        for node in module.body:
            if isinstance(node, ast.FunctionDef):
                for spec, section in markers(node, known):
                    yield Shown(spec, section, node.name, path.relative_to(ROOT).as_posix(), node.lineno)


def markers(function: ast.FunctionDef, known: dict[str, ast.expr]) -> Iterator[tuple[str, str]]:
    """Yield specification and section of each marker, whether it is written out or has a name in its module."""
    for decorator in function.decorator_list:
        marker = known.get(ast.unparse(decorator), decorator)
        if isinstance(marker, ast.Call) and ast.unparse(marker.func) == "pytest.mark.compliance":
            values = [known.get(ast.unparse(argument), argument) for argument in marker.args]
            spec, section = (ast.literal_eval(value) for value in values)
            yield spec, section


def in_order(text: str) -> list[tuple[int, int | str]]:
    """Sort numbers as numbers: section 10 after section 9."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part]


def page() -> str:
    by_spec: dict[str, list[Shown]] = defaultdict(list)
    for each in shown():
        by_spec[each.spec].append(each)
    lines = [HEAD]
    for spec in sorted(by_spec, key=in_order):
        lines += [f"## {spec}", "", "| Section | Requirement | Test |", "| --- | --- | --- |"]
        rows = sorted(by_spec[spec], key=lambda each: (in_order(each.section), each.path, each.line))
        lines += [
            f"| {each.section} | {each.requirement} | [{Path(each.path).name}](../{each.path}) |" for each in rows
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
