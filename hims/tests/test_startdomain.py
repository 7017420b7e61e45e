"""A throw-away app: `manage.py startdomain` writes it into a copy of the code, it is registered there in the three places that
tests ask for (settings, desk, docs/retention.md), and its tests and those of the whole run in a database of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from hims.launch.paths import PROJECT
from hims.tests import live

COPIED = ("apps", "hims", "docs", "manage.py", "conftest.py", "pytest.ini", "pyproject.toml")
LINKED = ("templates", "static")
# Tests of the whole that fail for an app that is registered by half.
GUARDS = (
    "test_architecture.py",
    "test_relations.py",
    "test_matrix.py::test_every_route_has_a_row",
    "test_admin_permissions.py::test_no_page_of_the_admin_is_missing_here",
    "test_retention.py::test_every_rule_and_every_table_has_its_line_in_the_documentation",
    "test_openapi_prose.py",
    "test_text_fields.py::test_every_text_of_a_body_is_a_line_a_note_or_a_secret",
)
CHECKS = """
from apps.access import matrix
from apps.developers.contract import openapi
from hims.tests.floors import FLOOR
from hims.tests.contracts import MATRIX


def test_its_floor_rights_matrix_rows_and_operations_are_collected():
    assert FLOOR["bandages"] == 6
    assert {"bandage.view", "bandage.create"} <= set(matrix.table())
    assert {row for row in MATRIX if "bandages" in row} == {"GET /bandages", "GET /bandages/{id}", "POST /bandages"}
    paths = openapi.as_dict()["paths"]
    assert set(paths["/bandages"]) >= {"get", "post"}
    assert paths["/bandages"]["post"]["x-permission"] == "bandage.create"
    assert set(paths["/bandages/{id}"]) >= {"get"}
"""


class Copy:
    """The code in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            if (PROJECT / name).is_dir():
                shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(PROJECT / name, folder / name)
        for name in LINKED:
            (folder / name).symlink_to(PROJECT / name)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def run(self, *command: str) -> str:
        """Run Python in the copy and return what it printed. Fails the test where the command fails."""
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        environment |= {"HIMS_ENV": "test", "HIMS_DATA_DIR": str(self.folder / "data")}
        environment |= {"DATABASE_URL": live.database_url("startdomain"), "REDIS_URL": settings.REDIS_URL}
        done = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """The code with the app `bandages`, registered."""
    made = Copy(tmp_path)
    made.run("manage.py", "startdomain", "bandages")
    base, desk, kept = "hims/settings/base.py", "apps/desk/admin.py", "docs/retention.md"
    made.write(base, made.read(base).replace("HIMS_APPS = [\n", 'HIMS_APPS = [\n    "apps.bandages",\n', 1))
    made.write(
        desk,
        made.read(desk)
        .replace("MODEL_PAGES = (\n", "MODEL_PAGES = (\n    bandages,\n", 1)
        .replace("from apps.desk.audit", "from apps.desk.bandages import pages as bandages\nfrom apps.desk.audit", 1),
    )
    made.write(kept, made.read(kept) + "| `bandages_bandage` | reference data |\n")
    made.run("manage.py", "makemigrations", "bandages")
    yield made
    shutil.rmtree(tmp_path)


@pytest.mark.full
def test_a_new_app_has_its_route_rights_matrix_row_audit_row_event_staff_page_and_openapi_entry(copy: Copy) -> None:
    copy.write("hims/tests/test_bandages.py", CHECKS)
    guards = [f"hims/tests/{name}" for name in ("test_bandages.py", *GUARDS)]
    passed = copy.run("-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "apps/bandages", "apps/desk/bandages", *guards)
    assert " passed" in passed
    assert "skipped" not in passed


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(CommandError, match="There is an app patients already"):
        call_command("startdomain", "patients")
