"""No test passes or fails by how fast the machine is, unless it is marked `full`.

A test waits for an event (with a generous time-out), or moves the clock itself. What must be quick is measured in a test that is
marked `full`, which prints the median of three runs next to its limit.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STOPWATCHES = {"monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns"}
CLOCKS = STOPWATCHES | {"time", "now"}
ELAPSED = {"elapsed", "took", "seconds_taken"}
IN_TEXT = re.compile(r"\b(monotonic|perf_counter|time\.time)\(\) *-.*<")


def files_with_tests() -> list[Path]:
    folders = [ROOT / name for name in ("hims", "apps", "benchmarks")]
    return [path for folder in folders for path in folder.rglob("*.py") if "tests" in path.parts and path != Path(__file__)]


def called(node: ast.AST) -> str:
    """The last name of what is called: `monotonic` of `time.monotonic()`."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def clocks_of(function: ast.AST) -> set[str]:
    """The clocks that nothing moves: a test that travels in time moves all but the stopwatches."""
    return STOPWATCHES if "time_machine.travel" in ast.unparse(function) else CLOCKS


def clock_names(function: ast.AST) -> set[str]:
    """The variables that hold a reading of a clock."""
    clocks = clocks_of(function)
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and called(node.value) in clocks
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_reading(node: ast.AST, names: set[str], clocks: set[str]) -> bool:
    return called(node) in clocks or (isinstance(node, ast.Name) and node.id in names)


def may_be_reading(node: ast.AST, clocks: set[str]) -> bool:
    """Whether a clock may have been read into it; a constant, as in `now() - DAY`, or a timedelta is none."""
    if isinstance(node, ast.Name):
        return not node.id.isupper()
    return isinstance(node, ast.Attribute) or called(node) in clocks


def is_elapsed(node: ast.AST, names: set[str], clocks: set[str], elapsed: set[str]) -> bool:
    """Whether the expression is a time that something took: one reading of a clock less another."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return is_reading(node.left, names, clocks) and may_be_reading(node.right, clocks)
    if isinstance(node, ast.Attribute):
        return node.attr in ELAPSED | {"seconds"}
    return isinstance(node, ast.Name) and node.id in ELAPSED | elapsed


def elapsed_names(function: ast.AST, names: set[str], clocks: set[str]) -> set[str]:
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and is_elapsed(node.value, names, clocks, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_full(function: ast.AST) -> bool:
    return any("mark.full" in ast.unparse(decorator) for decorator in getattr(function, "decorator_list", ()))


def by_the_wall_clock(tree: ast.AST) -> Iterator[int]:
    """The lines of assertions on what the wall clock shows."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or is_full(function):
            continue
        names, clocks = clock_names(function), clocks_of(function)
        elapsed = elapsed_names(function, names, clocks)
        callees = {id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                for compared in (part for part in ast.walk(node.test) if isinstance(part, ast.Compare)):
                    parts = [part for part in ast.walk(compared) if id(part) not in callees]
                    if any(is_elapsed(part, names, clocks, elapsed) or called(part) in STOPWATCHES for part in parts):
                        yield node.lineno
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_TEXT.search(node.value):
                yield node.lineno


def test_no_assertion_depends_on_the_speed_of_the_machine() -> None:
    uses = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in files_with_tests()
        for line in by_the_wall_clock(ast.parse(path.read_text()))
    }
    assert not uses, "Wait for an event, move the clock, or mark the test `full`:\n" + "\n".join(sorted(uses))


@pytest.mark.parametrize(
    "body",
    [
        "begun = time.monotonic(); work(); assert time.monotonic() - begun < 3",
        "begun = perf_counter(); work(); took = perf_counter() - begun; assert took < 3",
        "begun = clock.now(); work(); assert clock.now() - begun < timedelta(seconds=3)",
        "until = time.monotonic() + 3; work(); assert time.monotonic() < until",
        "assert max(reply.seconds for reply in replies) < 0.5",
        "assert reply.elapsed < LIMIT",
        "run('print(time.monotonic() - begun < 1)')",
        "assert 55 < resets_at and 0 < int(reset) and time.time() - begun < 62",
    ],
)
def test_such_an_assertion_is_seen(body: str) -> None:
    assert [*by_the_wall_clock(ast.parse(f"def test():\n    {body}"))]
    assert not [*by_the_wall_clock(ast.parse(f"@pytest.mark.full\ndef test():\n    {body}"))]


@pytest.mark.parametrize(
    "body",
    [
        "assert live.eventually(lambda: worker.poll() is not None)",
        "before = time.time(); assert before < resets_at <= time.time() + 61",
        "assert row.done_at - row.begun_at == timedelta(seconds=5)",
        "time.sleep(0.1)",
    ],
)
def test_waiting_for_an_event_is_allowed(body: str) -> None:
    assert not [*by_the_wall_clock(ast.parse(f"def test():\n    {body}"))]
