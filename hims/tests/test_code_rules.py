"""What a module may do, whatever its file is called: the rules of `docs/architecture.md` that its table of files states.

Each rule is a function from a module to its violations. Its test runs it over the apps, and over a small module that breaks it.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest
from django.apps import apps as registry
from django.db.models import ForeignKey, Index, Model, UniqueConstraint

from apps.common.domain import DomainConfig
from hims.tests.floors import FLOOR
from hims.tests.test_architecture import APPS, ROOT, is_test, sources

KIT_FLOOR = 2  # apps up to this floor are kits: they hold no domain code and have modules of their own
FACES = ("api", "admin", "desk", "portal", "pages")  # modules that translate requests and responses


@dataclass(frozen=True)
class Module:
    """A module of an app. `path` is relative to the folder of the apps."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def parts(self) -> tuple[str, ...]:
        return Path(self.path).with_suffix("").parts

    @property
    def app(self) -> str:
        return self.parts[0]

    def is_a(self, job: str) -> bool:
        """Returns whether the module, or a package that it is in, has this job: `rules.py`, `services/booking.py`."""
        return job in self.parts

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Returns line and dotted name of everything that the module imports."""
        rows: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                rows += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                rows += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        return rows

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    @property
    def calls(self) -> Iterator[ast.Call]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


@cache
def modules() -> list[Module]:
    return [Module(str(path.relative_to(APPS)), path.read_text()) for path in sources() if not is_test(path)]


@cache
def module_of(name: str) -> Module | None:
    """Returns the module of a dotted name of an app, or the module that defines the object of this name."""
    for parts in (name.split("."), name.split(".")[:-1]):
        for path in (ROOT.joinpath(*parts).with_suffix(".py"), ROOT.joinpath(*parts, "__init__.py")):
            if path.is_file():
                return Module(str(path.relative_to(APPS.parent)).removeprefix("apps/"), path.read_text())
    return None


# Rules decide on plain values.

IMPURE = ("django", "rest_framework", "psycopg", "redis", "celery", "os", "pathlib", "socket", "subprocess", "urllib.request")
IMPURE_CALLS = {"open", "print", "input"}


def reach(module: Module, seen: set[str] | None = None) -> Iterator[tuple[str, str]]:
    """Returns each library that a module imports itself or through modules of the apps, with the module that imports it."""
    seen = set() if seen is None else seen
    for _, name in module.imports:
        if not name.startswith("apps."):
            yield name, module.path
        elif (below := module_of(name)) is not None and below.path not in seen:
            seen.add(below.path)
            yield from reach(below, seen)


def impurities(module: Module) -> list[str]:
    """A module of rules imports no Django, directly or through others, and reads neither files nor the clock."""
    if not module.is_a("rules"):
        return []
    rows = [
        f"{module.path} reaches {name} (imported by {by})"
        for name, by in reach(module)
        if any(name == library or name.startswith(f"{library}.") for library in IMPURE)
    ]
    for call in module.calls:
        name = ast.unparse(call.func)
        if name in IMPURE_CALLS or name.endswith((".now", ".today", ".read_text", ".read_bytes", ".write_text")):
            rows.append(f"{module.path}:{call.lineno} calls {name}")
    return rows


# HTTP stays in the modules that translate requests and responses.

HTTP = ("rest_framework", "django.http", "django_filters", "drf_spectacular")
HTTP_TYPES = {"HttpRequest", "HttpResponse", "Request", "Response"}
# What Django calls with a request of its own, and what makes the OpenAPI file.
ADAPTERS = {
    "accounts/authentication/backends.py",
    "developers/contract/openapi.py",
}


def http_uses(module: Module) -> list[str]:
    """No module outside the API, the staff pages and the HTTP kit imports HTTP, or has a parameter or type of it."""
    if module.app == "rest" or any(module.is_a(face) for face in FACES):
        return []
    imported = [(line, name) for line, name in module.imports if f"{name}.".startswith(tuple(f"{kind}." for kind in HTTP))]
    return [f"{module.path}:{line} imports {name}" for line, name in imported] + takes_request(module)


def takes_request(module: Module) -> list[str]:
    """No service takes `request`, under that name or by its type."""
    rows = []
    for function in module.functions:
        arguments = function.args
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            named = {node.id for node in ast.walk(one.annotation) if isinstance(node, ast.Name)} if one.annotation else set()
            if one.arg == "request" or named & HTTP_TYPES:
                rows.append(f"{module.path}:{function.lineno} {function.name} takes {one.arg}")
    return rows


# Models are defined in models.


def misplaced_models(models: Iterable[type]) -> list[str]:
    """Every table of an app is a class of its module `models`, or of one in a sub-package."""
    homes = [(model, model.__module__.split(".")) for model in models]
    return [f"{model.__qualname__} is defined in {'.'.join(home)}" for model, home in homes if "models" not in home[2:]]


# Selectors read.

WRITES = {"save", "create", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "emit"}
WRITING_SQL = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


def writes(module: Module) -> list[str]:
    """A selector calls nothing that writes a row, and has no SQL that does."""
    if not module.is_a("selectors"):
        return []
    rows = []
    for call in module.calls:
        name = ast.unparse(call.func).rpartition(".")[2]
        if name in WRITES or (name == "update" and any(keyword.arg for keyword in call.keywords)):
            rows.append(f"{module.path}:{call.lineno} calls {ast.unparse(call.func)}")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip().startswith(WRITING_SQL):
            rows.append(f"{module.path}:{node.lineno} has SQL that writes")
    return rows


# Tasks make one call.

DECISIONS = (ast.If, ast.For, ast.While, ast.Try, ast.Match, ast.IfExp, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
# The loop of the relay is the worker's own: when to claim again, and which process runs a delivery. No service decides that.
TASKS_OF_THE_RELAY = "events/tasks.py"


def task_logic(module: Module) -> list[str]:
    """A task takes keyword-only arguments, decides nothing, and makes one call outside its module."""
    rows = []
    for function in module.functions:
        if not any("shared_task" in ast.unparse(decorator) for decorator in function.decorator_list):
            continue
        where = f"{module.path}:{function.lineno} {function.name}"
        if function.args.args:
            rows.append(f"{where} takes arguments by position")
        rows += [f"{where} decides ({type(node).__name__})" for node in ast.walk(function) if isinstance(node, DECISIONS)]
        if len(calls := list(_outermost_calls(function.body))) > 1:
            rows.append(f"{where} makes {len(calls)} calls")
    return rows


def _outermost_calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Returns the calls that are no argument of another call."""
    for node in nodes:
        if isinstance(node, ast.Call):
            yield node
        else:
            yield from _outermost_calls(ast.iter_child_nodes(node))


# The root of an app has the modules of the table.

ROOT_MODULES = {"__init__", "apps", "models", "rules", "services", "selectors", "events", "listeners", "tasks", "sql"}
DECLARATIONS = set(DomainConfig.LOADED_WHERE_PRESENT)  # what an app registers with lower apps, imported by DomainConfig.ready


def unknown_root_modules(module: Module) -> list[str]:
    """The root of a domain app has only the modules of the table of files, and those that `DomainConfig` loads."""
    name = module.parts[1] if len(module.parts) == 2 else ""
    if not name or FLOOR.get(module.app, KIT_FLOOR + 1) <= KIT_FLOOR or name in ROOT_MODULES | DECLARATIONS:
        return []
    return [f"{module.path} is no module of the table of files: move it into a sub-package"]


# Exceptions to the type checks have a reason.

EXCEPTION = re.compile(r"#\s*type: ignore(?P<code>\[[\w, -]+\])?(?P<reason>\s+#\s*\S+)?")


def unexplained_exceptions(module: Module) -> list[str]:
    """Each `# type: ignore` names the code of the error, and says why after another `#`."""
    rows = []
    for line, text in enumerate(module.text.splitlines(), 1):
        if (exception := EXCEPTION.search(text)) and not (exception["code"] and exception["reason"]):
            rows.append(f"{module.path}:{line} has an exception to the type checks without its code and reason")
    return rows


RULES: dict[Callable[[Module], list[str]], tuple[Module, ...]] = {
    impurities: (
        Module("patients/rules.py", "from django.utils import timezone\n"),
        Module("patients/rules.py", "from apps.patients.models import Patient\n"),
        Module("patients/search/rules.py", "def words():\n    return open('words.txt')\n"),
        Module("patients/rules.py", "def age(born):\n    return datetime.now() - born\n"),
    ),
    http_uses: (
        Module("patients/services/registry.py", "from rest_framework.response import Response\n"),
        Module("patients/chart/banner.py", "def banner(request):\n    return None\n"),
        Module("patients/selectors.py", "def rows(by: HttpRequest):\n    return None\n"),
    ),
    takes_request: (Module("patients/services/registry.py", "def register(*, request: object) -> None: ...\n"),),
    writes: (
        Module("patients/selectors.py", "def patient(pk):\n    return Patient.objects.get_or_create(pk=pk)\n"),
        Module("patients/selectors.py", "def patient(pk):\n    Patient.objects.filter(pk=pk).update(seen=True)\n"),
        Module("patients/selectors/lists.py", "SQL = 'UPDATE patients_patient SET seen = true'\n"),
    ),
    task_logic: (
        Module("patients/tasks.py", "@shared_task\ndef merge(*, ids):\n    for one in ids:\n        services.merge(one)\n"),
        Module("patients/tasks.py", "@shared_task\ndef merge(pk):\n    services.merge(pk)\n"),
        Module("patients/tasks.py", "@shared_task\ndef merge(*, pk):\n    services.merge(pk)\n    services.tell(pk)\n"),
    ),
    unexplained_exceptions: (
        Module("patients/rules.py", "age = born  # type: " + "ignore\n"),
        Module("patients/rules.py", "age = born  # type: " + "ignore[assignment]\n"),
    ),
    unknown_root_modules: (Module("patients/utils.py", ""), Module("consultations/guidance.py", "")),
}


DESK = "desk/admin.py"  # which pages there are; Django looks for a module of this name
EXCUSED = {http_uses: ADAPTERS, task_logic: {TASKS_OF_THE_RELAY}, unknown_root_modules: {DESK}}


def ids(rule: Callable[[Module], list[str]]) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_the_apps_obey_the_rule(rule: Callable[[Module], list[str]]) -> None:
    covered = [module for module in modules() if rule is not takes_request or module.is_a("services")]
    assert len(covered) > 50
    violations = {module.path: rows for module in covered if (rows := rule(module))}
    excused = EXCUSED.get(rule, set())
    assert excused <= set(violations), "an excused module obeys the rule now: take it off the list"
    assert not set(violations) - excused, f"{rule.__doc__}\n" + "\n".join(row for rows in violations.values() for row in rows)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_a_module_that_breaks_the_rule_is_seen(rule: Callable[[Module], list[str]]) -> None:
    for planted in RULES[rule]:
        assert rule(planted), planted.text or planted.path


def test_every_table_is_a_class_of_a_module_of_models() -> None:
    models = [model for model in registry.get_models() if model.__module__.startswith("apps.")]
    assert len(models) > 30
    assert not misplaced_models(models)
    planted = type("Stray", (), {"__module__": "apps.patients.services.registry"})
    assert misplaced_models([planted]) == ["Stray is defined in apps.patients.services.registry"]


def twice_indexed(model: type[Model]) -> list[str]:
    """No foreign key has an index of its own if another index begins with it: each insert pays for both, and a plan may read
    the worse one."""
    indexes: list[Index | UniqueConstraint] = [*model._meta.indexes]
    indexes += [one for one in model._meta.constraints if isinstance(one, UniqueConstraint)]
    first = {one.fields[0] for one in indexes if one.fields and one.condition is None}
    keys = [field for field in model._meta.local_fields if isinstance(field, ForeignKey) and field.db_index and not field.unique]
    return [f"{model.__name__}.{field.name}: set db_index=False" for field in keys if field.name in first]


def test_no_foreign_key_is_indexed_twice() -> None:
    models = [model for model in registry.get_models() if model.__module__.startswith("apps.")]
    assert len(models) > 30
    assert not [row for model in models for row in twice_indexed(model)]
