"""`make run`, with a small web server in the place of HIMS: it starts, refuses, restarts and stops."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.conf import settings

from apps.events import listeners
from hims.launch import disk_guard, health, locks, paths, programs
from hims.launch.disk_guard import DiskGuard
from hims.launch.tests import real_servers


@pytest.fixture
def port(monkeypatch):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    monkeypatch.setenv("HIMS_PORT", str(number))
    monkeypatch.setenv("HIMS_ENV", "development")
    return number


@pytest.fixture
def launch(data, port):
    """Starts a launcher; none outlives its test."""
    started = []

    def start(*arguments):
        started.append(real_servers.start("-m", "hims.launch.tests.fake_launch", *arguments))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
    assert real_servers.eventually(lambda: not real_servers.serving())


def until_ready(process):
    """What was printed until the addresses are."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Stop with" in line:
            return "".join(lines)
    pytest.fail(f"not ready: {''.join(lines)}")


def children(process, command=""):
    """Ids of the process's children, from /proc: a small machine has no `ps`."""
    about = {int(stat.parent.name): _read(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    born = [pid for pid, text in about.items() if text.rpartition(")")[2].split()[1:2] == [str(process.pid)]]
    return [pid for pid in born if command in _read(Path(f"/proc/{pid}/cmdline"))]


def _read(path):
    with suppress(OSError):
        return path.read_text()
    return ""


def gone(pids):
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_shows_each_step_and_stops_every_child(launch, port, asked):
    process = launch()
    shown = until_ready(process)
    assert health.is_ready(port)
    group = children(process)
    process.send_signal(asked)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "HIMS has stopped." in rest
    assert gone(group)
    assert not real_servers.serving()
    assert re.search(r"1\. Checking port \d+ and the disk ...\n   done in \d+\.\d s", shown)
    assert f"http://127.0.0.1:{port}/admin/" in shown


def test_a_second_ctrl_c_does_not_disturb_the_stop(launch):
    process = launch()
    until_ready(process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not real_servers.serving()


def test_a_killed_launcher_takes_everything_with_it_and_the_next_one_starts(launch):
    process = launch()
    until_ready(process)
    group = children(process)
    process.kill()
    process.communicate()
    assert real_servers.eventually(lambda: gone(group) and not real_servers.serving())
    again = launch()
    until_ready(again)
    again.terminate()
    again.communicate(timeout=30)
    assert again.returncode == 0


def test_a_child_that_dies_is_started_again(launch, port):
    process = launch()
    until_ready(process)
    [web] = children(process, command="http.server")
    os.kill(web, signal.SIGKILL)
    assert "web ended (killed by SIGKILL) and is started again" in process.stdout.readline()
    assert real_servers.eventually(lambda: health.is_ready(port))
    process.terminate()
    process.communicate(timeout=30)


def test_a_web_server_that_cannot_start_stops_everything_with_the_end_of_its_log(launch):
    process = launch("dying-web")
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "HIMS stops: web ended 3 times within 60 seconds, the last time exit code 1." in shown
    assert "the child is not" in shown
    assert "Traceback" not in shown
    assert not real_servers.serving()


def test_a_worker_that_keeps_dying_is_tried_again_and_the_web_server_stays(launch, port):
    process = launch("dying-worker")
    until_ready(process)
    lines = [process.stdout.readline() for _ in range(4)]
    assert all("worker ended (exit code 1) and is started again" in line for line in lines[:3])
    assert "worker keeps ending. It is started again and again" in lines[3]
    log = paths.log("worker")
    deaths = log.read_text().count("the child is not")
    assert real_servers.eventually(lambda: log.read_text().count("the child is not") > deaths + 2)
    assert health.is_ready(port)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_web_server_that_was_ready_is_started_again_however_often_it_is_killed(launch, port):
    process = launch()
    until_ready(process)
    for _ in range(5):  # the rehearsal gives up on a start after three
        [web] = children(process, command="http.server")
        os.kill(web, signal.SIGKILL)
        assert real_servers.eventually(lambda web=web: children(process, command="http.server") not in ([], [web]))
    assert real_servers.eventually(lambda: health.is_ready(port))
    process.terminate()
    process.communicate(timeout=30)


def test_while_the_disk_is_full_writes_are_refused_and_the_reserve_gives_room(tmp_path):
    warnings, free = [], [500]
    guard = DiskGuard(tmp_path, warnings.append, free=lambda _: free[0])
    reserve, full = tmp_path / "reserve", tmp_path / "disk-full"

    def look(mebibytes):
        free[0] = mebibytes
        guard.look()
        return [path.stat().st_size // 1024**2 if path.exists() else None for path in (reserve, full)]

    assert look(500) == [64, None]
    assert look(40) == [64, None]
    assert look(31) == [None, 64]  # writes are refused, and the reserve is still there
    assert look(0) == [None, 64]  # who fills the disk is left a moment to fail
    guard.exhausted_since -= disk_guard.STEP_SECONDS
    assert look(0) == [None, 48]
    assert look(16) == [None, 48]
    assert look(40) == [None, 48]  # 40 + 48 MB: the reserve itself is no space
    assert look(48) == [64, None]
    assert [line.partition(" (")[0].partition(":")[0] for line in warnings] == [
        "The disk is almost full",
        "There is space on the disk again",
    ]


def test_on_a_small_disk_without_a_reserve_writes_are_refused_all_the_same(tmp_path):
    DiskGuard(tmp_path, lambda _: None, free=lambda _: 10).look()
    assert (tmp_path / "disk-full").exists()


def test_a_taken_port_is_a_message(launch, port):
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        shown, _ = launch().communicate(timeout=30)
    assert f"Port {port} on 127.0.0.1 is taken" in shown
    assert "Traceback" not in shown
    assert not paths.lock("postgres.users").exists()


def test_a_second_launcher_of_the_same_data_is_refused(launch):
    lock = locks.Lock(_made(paths.lock("launcher")))
    lock.exclusive()
    lock.note("4711")
    shown, _ = launch().communicate(timeout=30)
    lock.close()
    assert "HIMS already runs with the data in" in shown
    assert "process 4711" in shown


def _made(path):
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return path


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HIMS_PORT", "eighty", "HIMS_PORT is 'eighty'"),
        ("HIMS_PORT", "70000", "must be a number from 1 to 65535"),
        ("HIMS_ENV", "production", "use the Dockerfile and compose.yaml"),
        ("HIMS_ENV", "moon", "it must be one of sandbox"),
    ],
)
def test_what_is_not_valid_is_refused(launch, monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)
    process = launch()
    shown, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert message in shown
    assert "Traceback" not in shown


def test_a_database_without_the_kind_of_installation_is_refused(launch, monkeypatch):
    """The servers would count it as production: sample data must not reach it."""
    monkeypatch.delenv("HIMS_ENV")
    monkeypatch.setenv("DATABASE_URL", "postgres://hims@127.0.0.1:1/clinic")
    process = launch()
    shown, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "HIMS stops: DATABASE_URL is set and HIMS_ENV is not." in shown


def test_the_web_server_listens_on_this_machine_alone_and_beat_keeps_its_schedule_in_the_data_folder(data):
    web, *_, beat = programs.all_programs(8123)
    assert "127.0.0.1" in web.command
    assert "8123" in web.command
    assert str(data) in " ".join(beat.command)


def test_every_queue_has_a_worker_and_mails_have_one_of_their_own(data):
    """A mail server that hangs keeps a worker busy: no other delivery may wait behind it."""
    workers = [program.command for program in programs.all_programs(8123) if "--queues" in program.command]
    served = [set(command[command.index("--queues") + 1].split(",")) for command in workers]
    used = {settings.CELERY_TASK_DEFAULT_QUEUE}
    used |= {policy.queue for policy in listeners._policies.values()}
    assert used == set().union(*served)
    assert {"mail"} in served
    assert sum("mail" in queues for queues in served) == 1
    names = [command[command.index("--hostname") + 1] for command in workers]
    assert len(set(names)) == len(names)


@pytest.mark.full
@pytest.mark.parametrize("_time", range(10))
def test_killed_and_started_again_and_again(launch, _time):
    test_a_killed_launcher_takes_everything_with_it_and_the_next_one_starts(launch)


def test_the_process_that_prepares_the_database_is_loaded_before_the_settings_are():
    load = [sys.executable, "-c", "import hims.launch.prepare"]
    result = subprocess.run(load, cwd=paths.PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
