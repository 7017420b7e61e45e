"""What `manage.py migrate` adds to Django's command."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

pytestmark = pytest.mark.django_db


def test_a_database_of_another_history_is_refused_before_anything_is_changed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('patients', '0002_tally', now())")
    with pytest.raises(CommandError, match=r"patients\.0002_tally.*Use an empty database"):
        call_command("migrate", interactive=False, verbosity=0)


def test_a_database_that_is_up_to_date_is_left_as_it_is() -> None:
    call_command("migrate", interactive=False, verbosity=0)
