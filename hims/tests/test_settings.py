"""What an installation refuses to start with. Every case is a process of its own, with nothing but the case's environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hims.launch import paths
from hims.tests import forking

WHOLE = {
    "HIMS_ENV": "production",
    "HIMS_SECRET_KEY": "b7GvVQ2mWk0x9rT4eYpL8sZ1nHcJfA6dUoXqEiRt5wKgPzMy3C",
    "HIMS_KEY_RING": "Uz7Kd2Wp9Xs4Tg6Bn1Vc8Lq3Hj5Rf0Ma-EyOiYuIoPaSdFgHj",
    "HIMS_JWT_KEY": "Qn4Zs8Lw1Vx6Cb3Mf9Hk2Jt7Pr5Dy0Ga-WeUoIiTqRzXvNcBmKh",
    "DATABASE_URL": "postgres://hims:pw@db.internal/hims",
    "REDIS_URL": "redis://redis.internal/0",
    "HIMS_ALLOWED_HOSTS": "api.hims.example",
    "HIMS_TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://u:p%40w@mail.example.org:587",
    "HIMS_MAIL_FROM": "Clinic <no-reply@clinic.example>",
}
SHOW = "from hims import env; import importlib; s = importlib.import_module(env.settings_module()); print(s.__name__, s.DEBUG)"


def start(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with the arguments `command`, and without any, with code that prints the name of the settings and DEBUG."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    option, *rest = command or ("-c", SHOW)
    if option == "-c":
        return forking.run_code(rest[0], bare | environment)
    return subprocess.run(
        [sys.executable, *command],
        cwd=paths.PROJECT,
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(environment: dict[str, str]) -> str:
    ended = start(environment)
    assert ended.returncode != 0, ended.stdout
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: "), ended.stderr
    return last


def without(name: str) -> dict[str, str]:
    return {known: value for known, value in WHOLE.items() if known != name}


def test_a_case_begins_with_its_environment_and_without_any_module_of_hims() -> None:
    ask = (
        "import os, sys; print([name for name in sys.modules if name.startswith(('hims.', 'apps'))], os.environ.get('HIMS_ENV'))"
    )
    assert start({}, "-c", ask).stdout == "['hims.tests'] None\n"
    assert start({"HIMS_ENV": "x"}, "-c", ask).stdout == "['hims.tests'] x\n"
    assert start({}, "-c", "1 / 0").returncode == 1
    assert start({}, "-c", "raise SystemExit(3)").returncode == 3


def test_production_starts_when_it_has_what_it_needs() -> None:
    assert start(WHOLE).stdout == "hims.settings.production False\n"


def test_staging_keeps_the_rules_of_production() -> None:
    assert start(WHOLE | {"HIMS_ENV": "staging"}).stdout == "hims.settings.staging False\n"
    assert "HIMS_SECRET_KEY" in refusal(without("HIMS_SECRET_KEY") | {"HIMS_ENV": "staging"})


LIMITS = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


@pytest.mark.parametrize(
    "name",
    [
        *("HIMS_SECRET_KEY", "HIMS_JWT_KEY", "HIMS_KEY_RING", "DATABASE_URL", "REDIS_URL", "HIMS_ALLOWED_HOSTS"),
        *("HIMS_TRUSTED_PROXIES", "EMAIL_URL", "HIMS_MAIL_FROM"),
    ],
)
def test_production_refuses_to_start_without(name: str) -> None:
    assert name in refusal(without(name))
    assert name in refusal(WHOLE | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HIMS_SECRET_KEY", "too short"),
        ("HIMS_JWT_KEY", "too short"),
        ("HIMS_KEY_RING", "b7GvVQ2mWk0x9rT4eYpL8sZ1nHcJfA6dUoXqEiRt5wKg,too short"),
        ("HIMS_SECRET_KEY", "only-for-samples-HIMS_SECRET_KEY-" + "0" * 40),
        ("HIMS_JWT_KEY", "only-for-samples-HIMS_JWT_KEY-" + "0" * 40),
        ("HIMS_JWT_KEY", WHOLE["HIMS_SECRET_KEY"]),
        ("HIMS_JWT_KEY", f"{WHOLE['HIMS_JWT_KEY']},too short"),
        ("HIMS_JWT_KEY", f"{WHOLE['HIMS_JWT_KEY']},{WHOLE['HIMS_SECRET_KEY']}"),
        ("HIMS_JWT_KEY", " , "),
        ("HIMS_SECRET_KEY", "a" * 32),
        ("HIMS_SECRET_KEY", "0123456789abcdef" * 3),
        ("HIMS_JWT_KEY", "used-while-the-image-is-built-for-nothing-2"),
        ("HIMS_KEY_RING", WHOLE["HIMS_JWT_KEY"]),
        ("HIMS_KEY_RING", f"{WHOLE['HIMS_KEY_RING']},{WHOLE['HIMS_SECRET_KEY']}"),
        ("HIMS_KEY_RING", f"{WHOLE['HIMS_KEY_RING']},{'ab' * 20}"),
        ("HIMS_ALLOWED_HOSTS", "*"),
        ("HIMS_ALLOWED_HOSTS", "api.hims.example,*"),
        ("HIMS_ALLOWED_HOSTS", "*.hims.example"),
        ("HIMS_ALLOWED_HOSTS", "api.*"),
        ("HIMS_ALLOWED_HOSTS", ".com"),
        ("HIMS_ALLOWED_HOSTS", ".co.uk"),
        ("HIMS_ALLOWED_HOSTS", "api.hims.example, .herokuapp.com"),
        ("HIMS_ALLOWED_HOSTS", ".hims.example"),
        ("HIMS_ALLOWED_HOSTS", "."),
        ("HIMS_ALLOWED_HOSTS", "https://api.hims.example"),
        ("HIMS_ALLOWED_HOSTS", "api.hims.example:443"),
        ("HIMS_TRUSTED_PROXIES", "0"),
        ("HIMS_TRUSTED_PROXIES", "-1"),
        ("HIMS_TRUSTED_PROXIES", "one"),
        ("HIMS_PG_OPTIONS", "-c statement_timeout=0 -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"),
        ("HIMS_PG_OPTIONS", "-c statement_timeout=10s -c lock_timeout=0ms -c idle_in_transaction_session_timeout=60s"),
        ("HIMS_PG_OPTIONS", "-c statement_timeout=10s -c lock_timeout=5s"),
        ("HIMS_PG_OPTIONS", f"{LIMITS} --statement_timeout=0"),
        ("HIMS_PG_OPTIONS", f"{LIMITS} --lock-timeout=0"),
        ("HIMS_PG_OPTIONS", f"{LIMITS} -cstatement_timeout=0.0"),
        ("HIMS_PG_OPTIONS", f"{LIMITS} -c STATEMENT_TIMEOUT='0'"),
        ("EMAIL_URL", "smtp://"),
        ("HIMS_MAIL_FROM", "Clinic <no-reply@localhost>"),
        ("EMAIL_URL", "consolemail://"),
        ("EMAIL_URL", "dummymail://"),
    ],
)
def test_production_refuses_each_unsafe_value_and_names_its_setting(name: str, value: str) -> None:
    assert name in refusal(WHOLE | {name: value})


def test_manage_py_refuses_a_database_without_the_kind_of_installation() -> None:
    ended = start({"DATABASE_URL": WHOLE["DATABASE_URL"]}, "manage.py", "sandbox", "reset")
    assert ended.returncode == 1
    assert ended.stderr.startswith("DATABASE_URL is set and HIMS_ENV is not.")


@pytest.mark.parametrize("name", ["HIMS_JWT_KEY", "HIMS_KEY_RING"])
def test_a_blank_at_the_end_makes_no_second_secret(name: str) -> None:
    assert name in refusal(WHOLE | {"HIMS_SECRET_KEY": f"{WHOLE[name]} "})


def test_production_names_all_unsafe_settings_at_once() -> None:
    message = refusal({"HIMS_ENV": "production", "HIMS_SECRET_KEY": "a" * 32, "HIMS_ALLOWED_HOSTS": ".com", "HIMS_DEBUG": "1"})
    for name in (
        "HIMS_SECRET_KEY",
        "HIMS_JWT_KEY",
        "HIMS_KEY_RING",
        "DATABASE_URL",
        "REDIS_URL",
        "HIMS_ALLOWED_HOSTS",
        "HIMS_TRUSTED_PROXIES",
        "EMAIL_URL",
        "HIMS_DEBUG",
    ):
        assert name in message


def test_hosts_that_are_named_in_full_are_accepted() -> None:
    hosts = "hims.example, API-2.hims.example,10.0.0.7,[::1],localhost"
    assert start(WHOLE | {"HIMS_ALLOWED_HOSTS": hosts}).stdout == "hims.settings.production False\n"


def test_only_an_installation_without_a_tls_proxy_needs_no_number_of_proxies() -> None:
    alone = without("HIMS_TRUSTED_PROXIES")
    assert start(alone | {"HIMS_BEHIND_TLS_PROXY": "false"}).stdout == "hims.settings.production False\n"
    assert "HIMS_TRUSTED_PROXIES" in refusal(alone | {"HIMS_BEHIND_TLS_PROXY": "True"})


def test_own_connection_options_with_every_time_limit_are_accepted() -> None:
    options = "-c statement_timeout=20s -c lock_timeout=500ms -c idle_in_transaction_session_timeout=1min -c work_mem=8MB"
    for good in (options, "--statement-timeout=20s -clock_timeout='500ms' -c idle_in_transaction_session_timeout=60000"):
        assert start(WHOLE | {"HIMS_PG_OPTIONS": good}).stdout == "hims.settings.production False\n"


def test_a_clinic_requires_a_second_factor_of_powerful_roles_and_the_sandbox_of_none(tmp_path: Path) -> None:
    ask = "from hims import env; print(sorted(env.roles('HIMS_MFA_REQUIRED_ROLES', default=('admin', 'doctor'))))"
    sandbox = {"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(tmp_path)}
    assert start(WHOLE, "-c", ask).stdout == "['admin', 'doctor']\n"
    assert start(sandbox, "-c", ask).stdout == "[]\n"
    assert start(sandbox | {"HIMS_MFA_REQUIRED_ROLES": "nurse, admin"}, "-c", ask).stdout == "['admin', 'nurse']\n"
    assert "names wizard" in refusal(WHOLE | {"HIMS_MFA_REQUIRED_ROLES": "wizard"})


def test_mailed_links_begin_with_an_address_of_ours() -> None:
    ask = "from hims import env; print(env.base_url())"
    assert start(WHOLE, "-c", ask).stdout == "https://api.hims.example\n"
    assert start(WHOLE | {"HIMS_BASE_URL": "https://desk.example/"}, "-c", ask).stdout == "https://desk.example\n"
    for wrong in ("http://desk.example", "desk.example", "https://", "https://desk.example/?x=1"):
        assert "HIMS_BASE_URL" in refusal(WHOLE | {"HIMS_BASE_URL": wrong})


@pytest.mark.parametrize(
    "lever",
    ["HIMS_RATE_LIMIT_SCALE", "HIMS_WEBHOOK_TIME_SCALE", "HIMS_WEBHOOK_ALLOW_CIDRS", "HIMS_SESSION_IDLE_SECONDS", "HIMS_DEBUG"],
)
def test_production_refuses_a_lever_for_tests(lever: str) -> None:
    assert lever in refusal(WHOLE | {lever: "1"})


def test_without_a_word_it_is_production() -> None:
    assert start(without("HIMS_ENV")).stdout == "hims.settings.production False\n"
    assert "is not set" in refusal({})


def test_an_unknown_environment_is_refused() -> None:
    assert "HIMS_ENV is 'prod'" in refusal({"HIMS_ENV": "prod"})


@pytest.mark.parametrize("name", ["sandbox", "development", "test"])
def test_the_others_start_with_nothing_set(name: str, tmp_path: Path) -> None:
    assert start({"HIMS_ENV": name, "HIMS_DATA_DIR": str(tmp_path)}).stdout == f"hims.settings.{name} False\n"


def test_every_process_of_django_knows_the_broker(tmp_path: Path) -> None:
    """A web worker whose tasks went to Celery's default broker would wake no worker, slowly."""
    ask = "import django; django.setup(); from apps.events.tasks import deliver as d; print(d.app.main, d.app.conf.broker_url)"
    environment = {"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "hims.settings.sandbox"}
    assert start(environment, "-c", ask).stdout.startswith("hims redis+socket://")


def test_a_task_for_a_dead_broker_is_given_up_at_once(tmp_path: Path) -> None:
    """By default Celery keeps a request waiting for six seconds, and tries again and again. The interpreter reports each try."""
    ask = (
        "import django, sys; django.setup(); from apps.events.tasks import relay_waiting; tries = []\n"
        "sys.addaudithook(lambda name, _: tries.append(1) if name == 'socket.connect' else None)\n"
        "try: relay_waiting.apply_async(retry=False)\n"
        "except Exception as error: print(type(error).__name__, len(tries))"
    )
    environment = {"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "hims.settings.sandbox"}
    assert start(environment, "-c", ask).stdout == "OperationalError 2\n"


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///run/redis/redis.sock?db=2", "redis+socket:///run/redis/redis.sock?virtual_host=2"),
        ("unix:///run/redis/redis.sock", "redis+socket:///run/redis/redis.sock?virtual_host=0"),
        ("redis://redis.internal/3", "redis://redis.internal/3"),
        ("rediss://:pw@redis.internal:6380/0", "rediss://:pw@redis.internal:6380/0"),
    ],
)
def test_celery_talks_to_the_redis_that_is_named(url: str, broker: str) -> None:
    ended = start(WHOLE | {"REDIS_URL": url}, "-c", "from hims import env; print(env.broker_url())")
    assert ended.stdout.strip() == broker


def run(*arguments: str) -> str:
    """Python that runs a management command; unlike manage.py it starts no servers."""
    return f"from django.core.management import execute_from_command_line as run; run(['manage.py', *{arguments}])"


def test_production_passes_djangos_own_deployment_checks() -> None:
    check = run("check", "--deploy", "--fail-level", "WARNING")
    ended = start(WHOLE | {"DJANGO_SETTINGS_MODULE": "hims.settings.production"}, "-c", check)
    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


def test_no_migration_is_missing() -> None:
    check = run("makemigrations", "--check", "--dry-run")
    ended = start({"HIMS_ENV": "test", "DJANGO_SETTINGS_MODULE": "hims.settings.test"}, "-c", check)
    assert ended.returncode == 0, ended.stdout + ended.stderr


MAIL = (
    "from hims import env; import importlib; s = importlib.import_module(env.settings_module());"
    "print(s.EMAIL_BACKEND, s.DEFAULT_FROM_EMAIL, *(getattr(s, n, '-') for n in ('EMAIL_HOST', 'EMAIL_PORT', 'EMAIL_USE_TLS')))"
)


def test_mail_goes_to_the_server_that_is_named_and_else_into_files(tmp_path: Path) -> None:
    named = WHOLE | {"EMAIL_URL": "smtp+tls://u:p%40w@mail.example.org:587", "HIMS_MAIL_FROM": "Clinic <no-reply@clinic.example>"}
    output = "apps.notifications.mail.smtp_backend.SmtpUtf8Backend Clinic <no-reply@clinic.example> mail.example.org 587 True\n"
    assert start(named, "-c", MAIL).stdout == output
    sandbox = start({"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(tmp_path)}, "-c", MAIL)
    assert sandbox.stdout.startswith("apps.notifications.mail.file_backend.PrivateFileBackend ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_URL", "mail.example.org"),
        ("EMAIL_URL", "http://mail.example.org"),
        ("HIMS_MAIL_FROM", "the clinic"),
        ("HIMS_MAIL_FROM", "A, B <a@b.example>"),
    ],
)
def test_mail_settings_that_cannot_work_are_named(name: str, value: str) -> None:
    assert name in refusal(WHOLE | {name: value})
