"""What a production or staging installation must have set. Pure: reads a mapping, returns sentences, imports no settings."""

import os
import re
from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

SECRETS = ("HIMS_SECRET_KEY", "HIMS_JWT_KEY", "HIMS_KEY_RING")
SECRET_LENGTH = 32
# A random base64 text of 32 characters has fewer than 16 distinct characters once in ten million times.
SECRET_DISTINCT = 16
# Values that were published in this project or in Django's own templates.
PUBLISHED = ("only-for-samples", "used-while-the-image-is-built", "django-insecure", "changeme", "change-me")
TEST_SETTINGS = (
    "HIMS_RATE_LIMIT_SCALE",
    "HIMS_WEBHOOK_TIME_SCALE",
    "HIMS_WEBHOOK_ALLOW_CIDRS",
    "HIMS_SESSION_IDLE_SECONDS",
    "HIMS_DEBUG",
)
TIME_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
# A host name (RFC 1123, section 2.1), an IPv4 address, or an IPv6 address in brackets.
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)
TRUE = ("true", "on", "ok", "y", "yes", "1")  # as django-environ reads a bool
MAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl")


def check(*, environ: Mapping[str, str] = os.environ, test_settings: bool = False) -> None:
    """Raises ImproperlyConfigured with one sentence for each unsafe setting, so that an operator can correct all of them at once.

    `test_settings` allows the settings that only tests need (staging).
    """
    wrong = problems(environ, test_settings=test_settings)
    if wrong:
        raise ImproperlyConfigured(" ".join(wrong))


def problems(environ: Mapping[str, str], *, test_settings: bool = False) -> list[str]:
    """Returns a sentence for each setting that is missing or unsafe. Each sentence begins with the name of the setting."""
    return [
        *([] if test_settings else _test_settings(environ)),
        *_secrets(environ),
        *_servers(environ),
        *_hosts(environ),
        *_proxies(environ),
        *_mail(environ),
        *_time_limits(environ),
    ]


def _test_settings(environ: Mapping[str, str]) -> list[str]:
    return [f"{name} is a setting for tests and is refused in production: unset it." for name in TEST_SETTINGS if name in environ]


def _secrets(environ: Mapping[str, str]) -> list[str]:
    wrong, seen = [], dict[str, str]()
    for name in SECRETS:
        value = environ.get(name, "")
        if not value:
            wrong.append(f"{name} is not set: use a random text of at least {SECRET_LENGTH} characters.")
            continue
        for secret in _parts(name, value):
            wrong += [f"{name} {reason}" for reason in _weaknesses(secret)]
            if secret in seen:
                wrong.append(f"{name} must differ from {seen[secret]}: each key has one use.")
            seen.setdefault(secret, name)
    return wrong


def _parts(name: str, value: str) -> list[str]:
    """Splits a setting into its keys: two settings contain several, the newest first, and each must be strong. Blanks at the ends
    do not count."""
    several = name in ("HIMS_JWT_KEY", "HIMS_KEY_RING")
    return [key.strip() for key in (value.split(",") if several else [value]) if key.strip()]


def _weaknesses(secret: str) -> list[str]:
    if any(marker in secret.lower() for marker in PUBLISHED):
        return ["is a published sample: use a random text of your own."]
    if len(secret) < SECRET_LENGTH:
        return [f"is too short: use at least {SECRET_LENGTH} random characters."]
    repeats = (secret + secret).find(secret, 1) < len(secret)
    if repeats or len(set(secret)) < SECRET_DISTINCT:
        return ["repeats itself: use random characters (secrets.token_urlsafe(48) of Python makes some)."]
    return []


def _servers(environ: Mapping[str, str]) -> list[str]:
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not environ.get(name)]
    return [f"{name} is not set: production has no embedded servers." for name in missing]


def _hosts(environ: Mapping[str, str]) -> list[str]:
    hosts = [host.strip() for host in environ.get("HIMS_ALLOWED_HOSTS", "").split(",") if host.strip()]
    if not hosts:
        return ["HIMS_ALLOWED_HOSTS is not set: name the host names this installation answers to."]
    # Django treats a leading dot as a wildcard for every subdomain: for `.co.uk`, for `.com` or for a hosting company's domain it
    # would match the hosts of others. Only the public suffix list, which changes every week, can tell them from the clinic's own.
    # Therefore no wildcards at all.
    wrong = [host for host in hosts if not HOST.fullmatch(host)]
    rule = "name each host in full, like hims.clinic.example, without a dot in front, a '*', a scheme or a port."
    return [f"HIMS_ALLOWED_HOSTS names {host!r}: {rule}" for host in wrong]


def _proxies(environ: Mapping[str, str]) -> list[str]:
    """Requires the number of proxies behind a TLS proxy: with 0, every client would have the proxy's address, in the limits and
    in the audit log."""
    behind_proxy = environ.get("HIMS_BEHIND_TLS_PROXY", "true").strip().lower() in TRUE
    if not behind_proxy or re.fullmatch("0*[1-9][0-9]*", environ.get("HIMS_TRUSTED_PROXIES", "").strip()):
        return []
    return [
        "HIMS_TRUSTED_PROXIES must be the number of proxies in front, at least 1; without any, set HIMS_BEHIND_TLS_PROXY=false."
    ]


def _mail(environ: Mapping[str, str]) -> list[str]:
    wrong = []
    url = environ.get("EMAIL_URL", "")
    if not url:
        wrong.append("EMAIL_URL is not set: without a mail server, reset links and alerts reach no recipient.")
    elif urlsplit(url).scheme not in MAIL_SCHEMES or not urlsplit(url).hostname:
        wrong.append("EMAIL_URL must name a mail server, like smtp+tls://user:password@mail.example.org:587.")
    domain = parseaddr(environ.get("HIMS_MAIL_FROM", ""))[1].rpartition("@")[2]
    if domain in ("", "localhost"):
        wrong.append("HIMS_MAIL_FROM is not set to an address of yours: receivers reject mail from localhost.")
    return wrong


def _time_limits(environ: Mapping[str, str]) -> list[str]:
    """Requires each time limit in custom connection options: a statement without one could block a worker and its locks for
    ever."""
    options = environ.get("HIMS_PG_OPTIONS")
    if options is None:
        return []
    # PostgreSQL reads `-c name=value`, `-cname=value` and `--name=value` alike; the last one counts.
    settings = (part.lstrip("-").partition("=") for part in re.sub(r"(^|\s)-c\s*", " ", options).split())
    limits = {name.replace("-", "_").lower(): value.strip("'\"") for name, _, value in settings}
    off = [name for name in TIME_LIMITS if not re.match(r"\+?0*[1-9]", limits.get(name, ""))]
    return [f"HIMS_PG_OPTIONS must set {name} above 0." for name in off]
