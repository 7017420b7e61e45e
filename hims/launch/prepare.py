"""Updates the database and fills the sandbox, in a separate process, so that the launcher stays small.

One process does both, and migrates only if migrations are missing: loading the project is most of a later start.
"""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from hims import env, roles


def main() -> int:
    env.use_owner_role()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())
    try:
        django.setup()
        _migrate()
        if env.name() == "sandbox":
            call_command("load_icd10")
            call_command("sandbox", "seed")
    except (CommandError, DatabaseError, ImproperlyConfigured) as error:
        sys.stderr.write(f"   {error}\n")
        return 1
    return 0


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False)
    else:
        sys.stdout.write("   Every migration is applied.\n")
        sys.stdout.flush()
        roles.grant_application()  # a data folder of an older version has no such role yet


if __name__ == "__main__":
    sys.exit(main())
