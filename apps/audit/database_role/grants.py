"""The two database roles: the owner migrates and owns every table; the application role works in them.

The application role may insert into the audit log, its seals, anchors and chain, and read them. It may not change, remove or
truncate a row of them, and it owns nothing, so that it cannot drop the triggers either. Work that needs more runs in functions of
the owner (SECURITY DEFINER, with a pinned search_path): creating a month's partition, and moving the head of the chain forward.
"""

from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

from apps.common import locks
from apps.common.locks import LockName

APPEND_ONLY = ("audit_auditevent", "audit_seal", "audit_anchor", "audit_chain")
FUNCTIONS = (
    "audit_make_partition(date)",
    "audit_advance_chain(bytea, bigint, bytea, timestamptz, timestamptz, date, bytea)",
)

# Every table of the append-only set, with the partitions that exist by now.
_TABLES = """
SELECT oid FROM (SELECT to_regclass(name) FROM unnest(%s::text[]) AS t (name)) AS named (oid) UNION
SELECT relid FROM pg_partition_tree(to_regclass('audit_auditevent'))
"""
_TABLE_PRIVILEGES = f"""
SELECT c.relname,
    pg_has_role(current_user, c.relowner, 'MEMBER') AS owns,
    has_any_column_privilege(current_user, c.oid, 'UPDATE') AS updates,
    has_table_privilege(current_user, c.oid, 'DELETE') AS deletes,
    has_table_privilege(current_user, c.oid, 'TRUNCATE') AS truncates,
    has_table_privilege(current_user, c.oid, 'TRIGGER') AS triggers
FROM pg_class c WHERE c.oid IN ({_TABLES}) ORDER BY c.relname
"""  # noqa: S608

# The owner of the schema may drop every table in it; the owner of the database owns the schema `public`. A member
# of a superuser, or of a role that writes the server's files or starts programs there, may become one.
_ROLE_PRIVILEGES = """
SELECT 'owns the schema ' || nspname || ', or is a member of the role that does' FROM pg_namespace
WHERE nspname = current_schema() AND pg_has_role(current_user, nspowner, 'MEMBER') UNION ALL
SELECT 'is a member of ' || rolname FROM pg_roles
WHERE (rolsuper OR rolname IN ('pg_execute_server_program', 'pg_write_server_files')) AND pg_has_role(current_user, oid, 'MEMBER')
"""


@dataclass(frozen=True)
class ApplicationRole:
    """The role of the web server, workers and beat. `password` is empty if the server requires none."""

    name: str
    password: str = ""


def apply(role: ApplicationRole) -> bool:
    """Creates the application role if it is missing, sets its password, and grants exactly its privileges. Runs as the owner.

    Returns False, and changes nothing, if the connected user is that role: an installation with one role. Raises
    django.db.DatabaseError if the owner may not create roles; then the operator creates the role by hand (docs/audit.md).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        locks.lock(LockName.DATABASE_ROLES)  # two migrations at once grant one after the other
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] == role.name:
            return False
        _ensure_role(cursor, role)
        cursor.execute("SELECT current_schema(), current_database()")
        schema, database = (sql.Identifier(name) for name in cursor.fetchone())
        app = sql.Identifier(role.name)
        for statement in _general_grants(app, schema, database):
            cursor.execute(statement)
        cursor.execute(f"SELECT oid::regclass::text FROM ({_TABLES}) AS t (oid)", [list(APPEND_ONLY)])  # noqa: S608
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.SQL(table), app))
        for statement in _audit_grants(app):
            cursor.execute(statement)
    return True


def excessive_privileges() -> list[str]:
    """Returns the excessive privileges of the connected role, as sentences; empty if there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        name, is_super, creates_roles = cursor.fetchone()
        if is_super:
            return [f"The database role {name} is a superuser."]
        problems = [f"The database role {name} may create roles (CREATEROLE)."] if creates_roles else []
        cursor.execute(_ROLE_PRIVILEGES)
        problems += [f"The database role {name} {what}." for (what,) in cursor.fetchall()]
        cursor.execute(_TABLE_PRIVILEGES, [list(APPEND_ONLY)])
        for table, owns, *rights in cursor.fetchall():
            if owns:
                problems.append(f"The database role {name} owns {table}, or is a member of the role that does.")
                continue
            names = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
            granted = [right for right, has in zip(names, rights, strict=True) if has]
            if granted:
                problems.append(f"The database role {name} has {', '.join(granted)} on {table}.")
    return problems


def _ensure_role(cursor, role: ApplicationRole) -> None:  # type: ignore[no-untyped-def]  # a cursor of psycopg or of Django
    """Ensures that the role exists, may sign in, and has its password. The server receives the password's SCRAM verifier, never
    its text."""
    app = sql.Identifier(role.name)
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role.name])
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS").format(app))
    cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    if role.password and cursor.fetchone()[0]:  # otherwise the operator who created the role by hand sets its password
        raw = connection.connection.pgconn
        verifier = raw.encrypt_password(role.password.encode(), role.name.encode(), b"scram-sha-256").decode()
        cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(app, sql.Literal(verifier)))


def _general_grants(app: sql.Identifier, schema: sql.Identifier, database: sql.Identifier) -> list[sql.Composed]:
    """Grants privileges on everything; those on the audit log are revoked afterwards, in the same transaction."""
    texts = (
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}",
        "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {app}",
        "GRANT USAGE ON SCHEMA {schema} TO {app}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {app}",
        "REVOKE TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA {schema} FROM {app}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {app}",
        "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {app}",
    )
    return [sql.SQL(text).format(app=app, schema=schema, database=database) for text in texts]


def _audit_grants(app: sql.Identifier) -> list[sql.Composed]:
    tables = sql.SQL(", ").join(sql.Identifier(name) for name in APPEND_ONLY)
    functions = sql.SQL(", ").join(sql.SQL(name) for name in FUNCTIONS)
    return [
        sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(tables, app),
        sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(functions),
        sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(functions, app),
    ]
