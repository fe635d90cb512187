"""Figures of the code's structure, for docs/explanation/structure.md: `python -m docs.structure`.

Lines are physical lines of the package. A cycle is a group of modules that import each other when they are
loaded. Depth counts classes of the package above a class, itself included. A public name is a function or
class that does not begin with `_`, outside the command line's modules; it has an example when its docstring
has one that runs.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PACKAGE = "watchkeeper"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Structure:
    """What is counted; `largest_*` are names with their lines."""

    lines: int
    files: int
    file_median: int
    file_p90: int
    largest_file: tuple[str, int]
    functions: int
    function_median: int
    function_p90: int
    largest_function: tuple[str, int]
    largest_cycle: int
    depth: int
    annotated: float
    public_names: int
    with_example: float
    test_lines: int


def structure(root: Path = ROOT) -> Structure:
    """Of the checkout at `root`."""
    sources = {_module(path, root): path for path in sorted((root / "src" / PACKAGE).rglob("*.py"))}
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in sources.items()}
    files = {name: _lines(path) for name, path in sources.items()}
    functions = {
        f"{module}.{node.name}": _length(node) for module, tree in trees.items() for node in _functions(tree)
    }
    named = [node for module, tree in trees.items() if ".cli." not in module for node in _public(tree)]
    every = [node for tree in trees.values() for node in _functions(tree)]
    imports = {module: _imports(tree, sources) for module, tree in trees.items()}
    return Structure(
        lines=sum(files.values()),
        files=len(files),
        file_median=round(median(files.values())),
        file_p90=_p90(files.values()),
        largest_file=max(files.items(), key=lambda item: item[1]),
        functions=len(every),
        function_median=round(median(map(_length, every))),
        function_p90=_p90(map(_length, every)),
        largest_function=max(functions.items(), key=lambda item: item[1]),
        largest_cycle=max((len(group) for group in cycles(imports)), default=0),
        depth=_depth(trees.values()),
        annotated=round(sum(map(_annotated, every)) / len(every), 3),
        public_names=len(named),
        with_example=round(sum(">>>" in (ast.get_docstring(node) or "") for node in named) / len(named), 3),
        test_lines=sum(map(_lines, (root / "tests").rglob("*.py"))),
    )


def cycles(imports: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """Groups of at least two modules that reach each other (Tarjan, "Depth-first search …", 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        path.append(module)
        for other in imports[module]:
            if other not in order:
                visit(other)
            if other in path:
                low[module] = min(low[module], low[other])
        if low[module] == order[module]:
            group = path[path.index(module) :]
            del path[path.index(module) :]
            if len(group) > 1:
                found.append(group)

    for module in imports:
        if module not in order:
            visit(module)
    yield from found


def _module(path: Path, root: Path) -> str:
    name = ".".join(path.relative_to(root / "src").with_suffix("").parts)
    return name.removesuffix(".__init__")


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _functions(tree: ast.AST) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS))


def _public(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_"):
            yield node


def _annotated(node: Function) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    plain = [each for each in arguments if each.arg not in ("self", "cls")]
    return node.returns is not None and all(each.annotation is not None for each in plain)


def _imports(tree: ast.Module, known: Mapping[str, Path]) -> frozenset[str]:
    """Modules of the package that are loaded with this one."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in names}
    return frozenset(found & known.keys())


def _depth(trees: Iterable[ast.Module]) -> int:
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def of(name: str) -> int:
        return 1 + max((of(base) for base in bases[name] if base in bases and base != name), default=0)

    return max(map(of, bases))


def _p90(values: Iterable[int]) -> int:
    ordered = sorted(values)
    return ordered[int(0.9 * (len(ordered) - 1))]


if __name__ == "__main__":
    print(json.dumps(asdict(structure()), indent=1))  # noqa: T201
