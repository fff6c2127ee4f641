# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python tests/tools/mutants.py COUNT [SEED]: do the unit tests notice wrong code?

Make COUNT small changes to the code, one at a time, in a copy of the collection. Run the tests of the changed file on
each, or those of its folder if it has none, then all unit tests. Print each change that no test noticed, and a running
count. A change that is noticed takes about ten seconds, another one two minutes. Before the first change, the tests
must pass. `make mutants` makes the copy.
"""

from __future__ import annotations

import ast
import copy
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FILES = sorted(path for folder in ("module_utils", "plugin_utils", "filter") for path in (ROOT / "plugins" / folder).rglob("*.py"))
ALL = ["tests/unit", "--deselect", "tests/unit/plugins/plugin_utils/test_chaos.py"]
OPPOSITES = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
}


def _has_own_change(value: ast.expr | None) -> bool:
    """Return whether a returned value is changed by itself, such as a boolean. None is never changed."""
    return value is None or (isinstance(value, ast.Constant) and not isinstance(value.value, str))


def mutations(node: ast.AST) -> Iterator[ast.AST]:
    """Return what could replace ``node`` and would be wrong."""
    changed = copy.deepcopy(node)
    if isinstance(changed, ast.Compare) and type(changed.ops[0]) in OPPOSITES:
        changed.ops[0] = OPPOSITES[type(changed.ops[0])]()
    elif isinstance(changed, (ast.BoolOp, ast.BinOp)) and type(changed.op) in OPPOSITES:
        changed.op = OPPOSITES[type(changed.op)]()
    elif isinstance(changed, ast.UnaryOp) and isinstance(changed.op, ast.Not):
        changed = changed.operand
    elif isinstance(changed, ast.Constant) and isinstance(changed.value, bool):
        changed.value = not changed.value
    elif isinstance(changed, ast.Constant) and isinstance(changed.value, (int, float)):
        changed.value += 1
    elif isinstance(changed, ast.If):
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
    elif isinstance(changed, ast.Return) and not _has_own_change(changed.value):
        changed.value = ast.Constant(None)
    elif isinstance(changed, ast.Expr) and isinstance(changed.value, ast.Call):
        changed = ast.Pass()
    else:
        return
    yield ast.copy_location(changed, node)


def places(tree: ast.Module) -> list[tuple[ast.AST, ast.AST]]:
    """Return each node of the code that can be changed, and what it can be changed to. Annotations are no code."""
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
        for inner in ast.walk(annotation)
    }
    return [(node, mutant) for node in ast.walk(tree) if id(node) not in annotations for mutant in mutations(node)]


def mutated(tree: ast.Module, old: ast.AST, new: ast.AST) -> str:
    """Return the source of ``tree`` in which ``new`` replaces ``old``; ``tree`` is of no use afterwards."""

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Swap().visit(tree)))


def own_tests(path: Path) -> Path:
    """Return the test file of ``path``, or the folder of tests if it has none."""
    folder = ROOT / "tests/unit" / path.parent.relative_to(ROOT)
    own = folder / f"test_{path.stem}.py"
    return own if own.exists() else folder


def noticed(tests: list[str]) -> bool:
    """Return whether a test fails. A run that does not end is noticed, too."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "2", "-p", "no:cacheprovider", *tests]
    try:
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main(count: int, seed: int) -> None:
    candidates = [(path, number) for path in FILES for number in range(len(places(ast.parse(path.read_text(encoding="utf-8")))))]
    chosen = random.Random(seed).sample(candidates, min(count, len(candidates)))
    survivors = 0
    if noticed(ALL):
        sys.exit("The tests fail without a change.")
    for done, (path, number) in enumerate(chosen):
        sys.stderr.write(f"\r{done} of {len(chosen)} tried, {survivors} not noticed ")
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        old, new = places(tree)[number]
        try:
            path.write_text(mutated(tree, old, new), encoding="utf-8")
            if not noticed([str(own_tests(path))]) and not noticed(ALL):
                survivors += 1
                sys.stdout.write(f"\n{path.relative_to(ROOT)}:{old.lineno}: {ast.unparse(old)[:100]}  ->  {ast.unparse(new)[:100]}\n")
                sys.stdout.flush()
        finally:
            path.write_text(source, encoding="utf-8")
    sys.stdout.write(f"\n{len(chosen) - survivors} of {len(chosen)} changes noticed, of {len(candidates)} that can be made (seed {seed})\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
