"""Reads the environment, in one place.

Every setting of HIMS that differs between machines is an environment variable (or a line of `.env`); this module is the only one
that reads them. Names and meanings are listed in `.env.example`.
"""

import os
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from apps.access.roles import STAFF
from hims.launch import paths

OWNER_COMMANDS = frozenset({"migrate", "sandbox", "flush"})  # of manage.py: they need the role that owns the tables

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("sandbox", "development", "staging", "production", "test")

read = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def name() -> str:
    """The kind of installation this process serves. Unset means production: closed by default."""
    chosen = os.environ.get("HIMS_ENV", "production")
    if chosen not in ENVIRONMENTS:
        raise ImproperlyConfigured(f"HIMS_ENV is {chosen!r}; it must be one of {', '.join(ENVIRONMENTS)}.")
    return chosen


def default_to_sandbox() -> None:
    """Makes an installation without HIMS_ENV the sandbox, for the commands of a developer.

    Raises ImproperlyConfigured if it names a database: the servers count such an installation as a clinic's, and sample data must
    not reach a clinic's database.
    """
    if "HIMS_ENV" in os.environ:
        return
    if "DATABASE_URL" in os.environ:
        raise ImproperlyConfigured(
            "DATABASE_URL is set and HIMS_ENV is not. Set HIMS_ENV too: production for a clinic, sandbox to try HIMS."
        )
    os.environ["HIMS_ENV"] = "sandbox"


def settings_module() -> str:
    """The dotted path of the settings for HIMS_ENV."""
    return f"hims.settings.{name()}"


def required(variable: str, *, because: str) -> str:
    """The variable's value; without one the process does not start."""
    value = os.environ.get(variable, "")
    if not value:
        raise ImproperlyConfigured(f"{variable} is not set: {because}")
    return value


def secret(variable: str) -> str:
    """Returns a signing key. The sandbox and a developer's machine have a sample key, which no other installation may use."""
    if name() in ("sandbox", "development", "test"):
        return os.environ.get(variable) or f"only-for-samples-{variable}-" + "0" * 40
    return required(variable, because="a clinic signs with keys of its own, of at least 32 characters.")


def keys(variable: str) -> list[str]:
    """Returns the keys of one use, the newest first. The older ones only read what they signed or encrypted."""
    keys_given = [key.strip() for key in secret(variable).split(",") if key.strip()]
    if not keys_given:
        raise ImproperlyConfigured(f"{variable} holds no key: set a random text of at least 32 characters.")
    return keys_given


def whole_number(variable: str, *, default: int, least: int, most: int) -> int:
    """Returns a setting within its bounds. Raises ImproperlyConfigured, which names it."""
    try:
        chosen = int(read.int(variable, default=default))
    except ValueError:
        chosen = least - 1
    if not least <= chosen <= most:
        raise ImproperlyConfigured(
            f"{variable} is {os.environ.get(variable)!r}; it must be a whole number from {least} to {most}."
        )
    return chosen


def queue_limits() -> tuple[int, int]:
    """Returns from how many minutes on a wait in the queue is long, and very long."""
    amber, red = read.int("HIMS_QUEUE_AMBER_MINUTES", default=15), read.int("HIMS_QUEUE_RED_MINUTES", default=30)
    if not 0 < amber < red:
        settings = f"HIMS_QUEUE_AMBER_MINUTES is {amber} and HIMS_QUEUE_RED_MINUTES {red}"
        raise ImproperlyConfigured(f"{settings}: the first must be above 0 and below the second.")
    return amber, red


def base_url() -> str:
    """Returns the address of this installation, without a trailing slash. Never taken from a request, whose Host any client can
    set."""
    local = name() in ("sandbox", "development", "test")
    first = next(iter(read.list("HIMS_ALLOWED_HOSTS", default=[])), "").lstrip(".") or "localhost"
    default = f"http://127.0.0.1:{os.environ.get('HIMS_PORT', '8000')}" if local else f"https://{first}"
    chosen = os.environ.get("HIMS_BASE_URL", default).rstrip("/")
    parts = urlsplit(chosen)
    if parts.scheme not in (("http", "https") if local else ("https",)) or not parts.hostname or parts.query or parts.fragment:
        raise ImproperlyConfigured("HIMS_BASE_URL must be the address of this installation, like https://hims.clinic.example.")
    return chosen


def roles(variable: str, *, default: tuple[str, ...]) -> frozenset[str]:
    """Roles by name, separated by commas. Unset: the default in a clinic, none in the sandbox and on a developer's machine."""
    unset: list[str] = [] if name() in ("sandbox", "development", "test") else list(default)
    chosen = [role.strip() for role in read.list(variable, default=unset) if role.strip()]
    unknown = sorted(set(chosen) - set(STAFF))
    if unknown:
        raise ImproperlyConfigured(f"{variable} names {', '.join(unknown)}; roles are {', '.join(STAFF)}.")
    return frozenset(chosen)


def embedded_allowed() -> bool:
    """Whether the PostgreSQL and Redis that HIMS brings along may be used."""
    return name() != "production"


def use_owner_role() -> None:
    """Have this process connect as the owner of the tables. Call it before the settings load."""
    os.environ["HIMS_DATABASE_ROLE"] = "owner"


def is_owner() -> bool:
    """Whether this process connects as the owner of the tables. Tests do, because they make their database."""
    role = os.environ.get("HIMS_DATABASE_ROLE") or ("owner" if name() == "test" else "application")
    if role not in ("owner", "application"):
        raise ImproperlyConfigured(f"HIMS_DATABASE_ROLE is {role!r}; it must be owner or application.")
    return role == "owner"


def application_role() -> tuple[str, str]:
    """Name and password of the database role that web server, workers and beat connect as."""
    if "DATABASE_URL" in os.environ or not embedded_allowed():
        config = read.db("DATABASE_URL")
        return str(config.get("USER") or ""), str(config.get("PASSWORD") or "")
    return paths.APPLICATION_ROLE, ""


def _named_database() -> dict[str, Any]:
    """What DATABASE_URL says; for the owner DATABASE_OWNER_URL, which only a clinic must have."""
    required("DATABASE_URL", because="this environment has no embedded database.")
    if not is_owner():
        return dict(read.db("DATABASE_URL"))
    if name() in ("production", "staging"):
        required("DATABASE_OWNER_URL", because="migrations run as the role that owns the tables, not as that of DATABASE_URL.")
    return dict(read.db("DATABASE_OWNER_URL" if os.environ.get("DATABASE_OWNER_URL") else "DATABASE_URL"))


def database() -> dict[str, Any]:
    """Django's settings of the one database, by the role of this process: DATABASE_URL or DATABASE_OWNER_URL, else the embedded
    server's socket."""
    if "DATABASE_URL" in os.environ or not embedded_allowed():
        config = _named_database()
    else:
        config = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": paths.DATABASE,
            "USER": paths.OWNER_ROLE if is_owner() else paths.APPLICATION_ROLE,
            "HOST": str(paths.socket_dir()),
            "PORT": str(paths.POSTGRES_PORT),
        }
    config.setdefault("OPTIONS", {})
    return config


def redis_url() -> str:
    """REDIS_URL, else the embedded server's socket, as redis-py reads it."""
    if "REDIS_URL" in os.environ or not embedded_allowed():
        return required("REDIS_URL", because="this environment has no embedded Redis.")
    return f"unix://{paths.redis_socket()}?db=0"


def email() -> dict[str, Any]:
    """Django's settings of outgoing mail: EMAIL_URL, else one file a mail under HIMS_DATA_DIR/mail."""
    url = os.environ.get("EMAIL_URL", "")
    if not url:
        return {
            "EMAIL_BACKEND": "apps.notifications.mail.file_backend.PrivateFileBackend",
            "EMAIL_FILE_PATH": str(paths.data_dir() / "mail"),
        }
    try:
        config = dict(read.email_url_config(url))
    except (ImproperlyConfigured, ValueError) as error:
        raise ImproperlyConfigured("EMAIL_URL must be like smtp+tls://user:password@mail.example.org:587.") from error
    config.pop("OPTIONS", None)
    if config.get("EMAIL_BACKEND") == "django.core.mail.backends.smtp.EmailBackend":
        config["EMAIL_BACKEND"] = "apps.notifications.mail.smtp_backend.SmtpUtf8Backend"  # also to addresses that are not ASCII
    return config


def mail_from(clinic: str) -> str:
    """HIMS_MAIL_FROM, the address mails come from, with or without a name."""
    chosen = os.environ.get("HIMS_MAIL_FROM") or formataddr((clinic, "no-reply@localhost"))
    if "@" not in parseaddr(chosen)[1] or len(chosen.splitlines()) > 1:
        raise ImproperlyConfigured("HIMS_MAIL_FROM must be one e-mail address, like Clinic <no-reply@clinic.example>.")
    return chosen


def broker_url() -> str:
    """The same Redis, as Celery reads it."""
    url = redis_url()
    if url.startswith("unix://"):
        parts = urlsplit(url)
        return f"redis+socket://{parts.path}?virtual_host={dict(parse_qsl(parts.query)).get('db', '0')}"
    return url
