"""Parameters of PostgreSQL for one transaction."""

from django.db import connection


def set_local(name: str, value: str) -> None:
    """Sets a parameter, such as statement_timeout, until the transaction ends. "0" turns a timeout off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
