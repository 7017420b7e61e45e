"""The files around the code that no other test reads: container files, integration, the list of variables, the environment."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import yaml

from hims import production
from hims.launch import install, programs
from hims.launch.paths import PROJECT
from hims.tests import live

VARIABLE = re.compile(r"[\"'](HIMS_[A-Z_]+|DATABASE_URL|REDIS_URL|EMAIL_URL)[\"']")
NOT_SETTINGS = {"HIMS_VERSION"}
# Those of the embedded servers, of one command, and the role, which is the application's in every container but one.
NOT_IN_A_CONTAINER = {"HIMS_ADMIN_PASSWORD", "HIMS_DATABASE_ROLE", "HIMS_PG_BINDIR", "HIMS_PG_SHARED_BUFFERS", "HIMS_PORT"}


def tool(name):
    script = Path(sys.executable).with_name(name)
    return str(script) if script.exists() else shutil.which(name) or pytest.skip(f"{name} is not installed")


def complaints(*command):
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr if result.returncode else ""


def test_the_dockerfile_passes_hadolint():
    assert not complaints(tool("hadolint"), "Dockerfile")


def test_compose_passes_yamllint():
    rules = "{extends: default, rules: {line-length: {max: 140}}}"
    assert not complaints(tool("yamllint"), "--strict", "-d", rules, "compose.yaml")


OURS = ("web", "worker", "mail-worker", "beat")


def test_compose_runs_web_workers_beat_and_both_servers():
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    assert {*OURS, "postgres", "redis"} <= set(services)
    assert all(services[name]["environment"]["HIMS_ENV"] == "production" for name in OURS)


def test_compose_starts_the_workers_that_make_run_starts():
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    for program in programs.all_programs(8123):
        if program.name in ("worker", "mail-worker"):
            options = dict(part.split("=", 1) for part in services[program.name]["command"] if "=" in part)
            for name in ("--hostname", "--queues", "--concurrency"):
                assert options[name] == program.command[program.command.index(name) + 1]


def test_compose_passes_every_setting_that_a_clinic_may_choose():
    """Compose reads .env for its own file alone: a setting that it does not pass has no effect."""
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    read = variables_read() - {*production.TEST_SETTINGS, *NOT_IN_A_CONTAINER}
    for name in OURS:
        assert not read - set(services[name]["environment"]), name
    assert not set(services["web"]["environment"]) - set(documented())


def test_what_runs_once_a_day_is_remembered_over_a_restart_of_beat():
    beat = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]["beat"]
    schedule = beat["command"][beat["command"].index("--schedule") + 1]
    assert any(schedule.startswith(volume.partition(":")[2] + "/") for volume in beat["volumes"])


def test_compose_puts_a_proxy_of_a_full_version_before_the_web_server():
    proxy = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]["proxy"]
    assert re.match(r"haproxy:\d+\.\d+\.\d+-", proxy["image"])
    mounted = [volume.split(":")[0] for volume in proxy["volumes"]]
    assert mounted == ["./deploy/haproxy.cfg", "./deploy/errors", "./deploy/tls"]
    config = (PROJECT / "deploy" / "haproxy.cfg").read_text()
    assert "option http-buffer-request" in config
    assert "timeout http-request 10s" in config
    named = set(re.findall(r"errorfile \d+ /etc/haproxy/errors/(\S+)", config))
    assert named == {path.name for path in (PROJECT / "deploy" / "errors").iterdir()}


def test_the_proxy_counts_the_connections_of_an_address_before_they_send_anything(tmp_path):
    """Rules of http-request are asked when the headers are here, which a slow client puts off."""
    config = (PROJECT / "deploy" / "haproxy.cfg").read_text()
    port = live.free_port()
    (tmp_path / "tls").mkdir()
    for there, here in (
        ("bind :80\n", f"bind 127.0.0.1:{port}\n"),
        ("    bind :443 ssl crt /etc/haproxy/tls/ alpn h2,http/1.1\n", ""),
        ("/etc/haproxy/errors", str(PROJECT / "deploy" / "errors")),
    ):
        assert there in config
        config = config.replace(there, here)
    (tmp_path / "haproxy.cfg").write_text(config)
    with ExitStack() as stack:
        proxy = subprocess.Popen([tool("haproxy"), "-db", "-f", str(tmp_path / "haproxy.cfg")], stdout=subprocess.DEVNULL)
        stack.callback(proxy.wait)
        stack.callback(proxy.kill)
        assert live.eventually(lambda: socket.create_connection(("127.0.0.1", port), timeout=5).close() is None)
        lines = []
        for _ in range(220):
            with suppress(ConnectionError):  # refused as soon as it is open
                lines.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)))
                lines[-1].sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        # One less where the first connection was still counted.
        assert live.eventually(lambda: len([line for line in lines if not is_closed(line)]) in (199, 200), within=8)


def is_closed(line):
    try:
        return line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_the_proxys_replies_are_whole_http_with_envelopes_for_the_api():
    for name, status, code in (("api", 503, "SERVICE_UNAVAILABLE"), ("timeout", 408, "REQUEST_TIMEOUT")):
        head, _, body = (PROJECT / "deploy" / "errors" / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 %d " % status)
        assert json.loads(body)["error"]["code"] == code
    page = (PROJECT / "deploy" / "errors" / "page.http").read_bytes()
    assert b"Retry-After: 2\r\n" in page
    assert b"<h1>HIMS is not available right now</h1>" in page


def test_the_proxys_configuration_is_valid(tmp_path):
    certificate = tmp_path / "tls"
    certificate.mkdir()
    config = (PROJECT / "deploy" / "haproxy.cfg").read_text()
    for there, here in (("/etc/haproxy/tls/", certificate), ("/etc/haproxy/errors", PROJECT / "deploy" / "errors")):
        config = config.replace(there, str(here))
    (tmp_path / "haproxy.cfg").write_text(config.replace(f"ssl crt {certificate} alpn h2,http/1.1", ""))
    assert not complaints(tool("haproxy"), "-c", "-f", str(tmp_path / "haproxy.cfg"))


def test_the_image_runs_without_privileges_and_asks_for_readiness():
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert "\nUSER 10001:10001\n" in dockerfile
    assert "hims.launch.health" in dockerfile
    assert "requirements-embedded" not in dockerfile


def test_the_ci_script_is_a_program_that_bash_understands():
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)
    assert not complaints("bash", "-n", ".ci/run")


def variables_read():
    sources = [path for folder in ("hims", "apps") for path in (PROJECT / folder).rglob("*.py") if "tests" not in path.parts]
    return {name for path in sources for name in VARIABLE.findall(path.read_text())} - NOT_SETTINGS


def documented():
    return re.findall(r"^#([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE)


def test_the_example_names_every_variable_that_is_read():
    assert not variables_read() - set(documented())


def test_the_example_sets_nothing_by_itself():
    lines = (PROJECT / ".env.example").read_text().splitlines()
    assert all(not line or line.startswith("#") for line in lines)


@pytest.mark.parametrize("target", ["run", "test", "test-all", "check", "clean"])
def test_make_knows(target):
    assert not complaints("make", "--dry-run", target)


def test_an_environment_that_is_a_link_is_replaced_and_what_it_leads_to_kept(tmp_path, monkeypatch):
    theirs, link = tmp_path / "theirs", tmp_path / ".venv"
    theirs.mkdir()
    (theirs / "kept").write_text("somebody's")
    link.symlink_to(theirs)
    monkeypatch.setattr(install, "VENV", link)
    install._make_venv()
    assert (theirs / "kept").read_text() == "somebody's"
    assert (link / "bin" / "python").exists()
    assert not link.is_symlink()
