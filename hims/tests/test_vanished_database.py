"""A database host that vanishes: it acknowledges nothing and sends no reset, and the connection must still end."""

import ctypes
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

import psycopg
import pytest
from django.db import connection, connections

from hims.tests import live
from hims.tests.test_settings import WHOLE, start

pytestmark = pytest.mark.django_db
linux = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux limits unacknowledged data")

SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python's socket module does not name it
LIMITS = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


class _Instruction(ctypes.Structure):
    """struct sock_filter of linux/filter.h."""

    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class _Filter(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction))]


@dataclass
class Host:
    """A TCP port that forwards to the test's PostgreSQL, as a database host of its own would answer."""

    port: int
    lines: list[socket.socket] = field(default_factory=list)
    is_gone: Event = field(default_factory=Event)

    def vanish(self) -> None:
        """The kernel drops every segment that arrives, so that nothing is acknowledged or reset, and nothing is sent any more."""
        self.is_gone.set()
        drop_all = (_Instruction * 1)(_Instruction(0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0: keep no byte
        for line in self.lines:
            line.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(_Filter(1, drop_all)))

    def forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while (data := source.recv(65_536)) and not self.is_gone.is_set():
                target.sendall(data)


@contextmanager
def database_host() -> Iterator[Host]:
    at = connection.settings_dict
    if not str(at["HOST"]).startswith("/"):
        pytest.skip("forwards to the embedded server's socket")
    opened: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = Host(listener.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near = listener.accept()[0]
                    far = socket.socket(socket.AF_UNIX)
                    far.connect(f"{at['HOST']}/.s.PGSQL.{at['PORT']}")
                    opened.extend((near, far))
                    host.lines.append(near)
                    for pair in ((near, far), (far, near)):
                        Thread(target=host.forward, args=pair, daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield host
        listener.shutdown(socket.SHUT_RDWR)
    for line in opened:
        line.close()


def connect(host: Host) -> psycopg.Connection:
    """A connection with the settings of every process of HIMS, over TCP."""
    parameters = connection.get_connection_params() | {"host": "127.0.0.1", "port": host.port}
    return connections["default"].copy().get_new_connection(parameters)


def is_sleeping(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'", [pid])
        return cursor.fetchone() is not None


@linux
def test_a_connection_to_a_database_host_probes_it_and_limits_what_stays_unacknowledged() -> None:
    with database_host() as host, closing(connect(host)) as line:
        assert line.execute("SELECT 1").fetchone() == (1,)
        with socket.socket(fileno=line.pgconn.socket) as real:
            try:
                tcp = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT]
                assert real.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                assert [real.getsockopt(socket.IPPROTO_TCP, option) for option in tcp] == [5, 2, 3, 10_000]
            finally:
                real.detach()  # the connection closes it


@linux
@pytest.mark.full
def test_a_query_to_a_database_host_that_vanishes_fails_instead_of_waiting() -> None:
    """Before the query is sent, and while its reply is awaited. TCP alone would wait for a quarter of an hour, and for ever."""
    failures: dict[str, BaseException] = {}

    def ask(name: str, line: psycopg.Connection, statement: str) -> None:
        try:
            line.execute(statement)
        except psycopg.OperationalError as failure:
            failures[name] = failure

    with database_host() as host, closing(connect(host)) as awaits, closing(connect(host)) as sends:
        pid = awaits.info.backend_pid
        waiting = Thread(target=ask, args=("awaits", awaits, "SELECT pg_sleep(300)"), daemon=True)
        waiting.start()
        assert live.eventually(lambda: is_sleeping(pid))
        host.vanish()
        sending = Thread(target=ask, args=("sends", sends, "SELECT 1"), daemon=True)
        sending.start()
        for thread in (waiting, sending):
            thread.join(40)
        assert set(failures) == {"awaits", "sends"}
        assert {type(failure) for failure in failures.values()} == {psycopg.OperationalError}  # not a statement's time limit


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_the_servers_of_a_clinic_have_the_same_limits(environment: str) -> None:
    show = (
        "from hims import env; import importlib; s = importlib.import_module(env.settings_module());"
        f"print({{name: s.DATABASES['default']['OPTIONS'].get(name) for name in {list(LIMITS)}}} == {LIMITS})"
    )
    assert start(WHOLE | {"HIMS_ENV": environment}, "-c", show).stdout == "True\n"
