"""The walls of the house, as `docs/architecture.md` draws them. A broken one is named by file."""

import ast
from collections.abc import Iterator
from pathlib import Path

from hims.tests.floors import FLOOR

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ROOT / "apps"
FUNCTION_WALL, FILE_WALL, TEST_FILE_WALL = 50, 400, 600


def sources(folder: Path = APPS) -> list[Path]:
    return [path for path in folder.rglob("*.py") if "migrations" not in path.parts]


def owner(path: Path) -> str:
    return path.relative_to(APPS).parts[0]


def is_test(path: Path) -> bool:
    return "tests" in path.parts


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module a file imports, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def climbing(path: Path, source_owner: str, names: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> list[str]:
    """The imports of a file that go sideways or up, or out of the apps into the composition root."""
    violations = []
    for line, name in names:
        parts = name.split(".")
        if parts[0] == "hims":
            violations.append(f"{path}:{line} imports the composition root: {name}")
        if parts[0] == "apps" and len(parts) > 1 and parts[1] != source_owner and FLOOR[parts[1]] >= FLOOR[source_owner]:
            violations.append(f"{path}:{line} imports {name}")
    return violations


def test_every_app_has_a_floor() -> None:
    assert {folder.name for folder in APPS.iterdir() if (folder / "__init__.py").exists()} == set(FLOOR)


def test_apps_import_only_downwards() -> None:
    violations = [row for path in sources() for row in climbing(path, owner(path), imports(path))]
    assert not violations, "\n".join(violations)


def test_an_import_upwards_or_sideways_is_seen() -> None:
    assert climbing(Path("x.py"), "rest", [(1, "apps.patients.models")])
    assert climbing(Path("x.py"), "sandbox", [(1, "apps.developers.pages.urls")])
    assert climbing(Path("x.py"), "patients", [(1, "hims.urls")])
    assert not climbing(Path("x.py"), "patients", [(1, "apps.rest.errors")])


def test_the_table_of_rights_is_made_of_plain_values() -> None:
    glue = ("apps.py", "rights.py")  # the app's declaration and the command that prints the rights
    violations = [
        f"{path}:{line} imports {name}"
        for path in sources(APPS / "access")
        if path.name not in glue and not is_test(path)
        for line, name in imports(path)
        if name.split(".")[0] == "django"
    ]
    assert not violations, "\n".join(violations)


def test_nothing_is_imported_inside_a_function() -> None:
    violations = []
    for path in [*sources(), *sources(ROOT / "hims")]:
        if is_test(path):
            continue
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                violations += [
                    f"{path}:{node.lineno}" for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
                ]
    assert not violations, "\n".join(violations)


def test_no_function_is_longer_than_the_wall() -> None:
    violations = []
    for path in [*sources(), *sources(ROOT / "hims")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_test(path):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_WALL:
                    violations.append(f"{path}:{node.lineno} {node.name} has {lines} lines")
    assert not violations, "\n".join(violations)


def test_no_file_is_longer_than_the_wall() -> None:
    violations = []
    for path in [*sources(), *sources(ROOT / "hims")]:
        lines = path.read_text().count("\n")
        if lines > (TEST_FILE_WALL if is_test(path) else FILE_WALL):
            violations.append(f"{path} has {lines} lines")
    assert not violations, "\n".join(violations)


def test_every_module_says_what_it_is_for() -> None:
    violations = [
        str(path)
        for path in sources()
        if path.read_text().strip() and not is_test(path) and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not violations, "\n".join(violations)


def test_no_model_overrides_save() -> None:
    violations = []
    for path in sources():
        if path.name == "models.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and node.name in ("save", "delete"):
                    violations.append(f"{path}:{node.lineno}")
    assert not violations, "\n".join(violations)


def test_no_drawer_is_called_utils() -> None:
    violations = [str(path) for path in sources() if path.stem in ("utils", "helpers", "misc", "manager")]
    assert not violations, "\n".join(violations)
