"""A client that sends slowly, too much or nothing occupies no web thread. The health endpoints reply while one is busy."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from django.db import connection

from benchmarks import cpu
from hims.tests import factories, live
from hims.tests.live import Web

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = b"POST /v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
WITH_A_LENGTH = (HEAD + b"Content-Length: 9000\r\n\r\n{", b" ")
IN_CHUNKS = (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n")
OF_A_PAGE = (WITH_A_LENGTH[0].replace(b"/v1/auth/login", b"/admin/login/"), b" ")
HEADERS = (b"GET /v1/version HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-Slow: y\r\n")


class Slow:
    """Connections that send a few bytes a second. `replies` has what each was sent before the server closed it."""

    def __init__(self, web: Web, stack: ExitStack) -> None:
        self.web = web
        self.lines: list[tuple[socket.socket, bytes]] = []
        self.replies: dict[socket.socket, bytes] = {}
        self.stack = stack

    def open(self, count: int, kind: tuple[bytes, bytes]) -> None:
        begin, go_on = kind
        for _ in range(count):
            line = self.stack.enter_context(socket.create_connection(("127.0.0.1", self.web.port), timeout=20))
            line.sendall(begin)
            self.lines.append((line, go_on))

    def send_more(self) -> None:
        for line, go_on in self.lines:
            with suppress(OSError):
                line.sendall(go_on)

    def until_closed(self) -> list[bytes]:
        """Send on, a byte a second, until the server has closed every connection; what it said to each."""
        talking = threading.Event()
        sender = threading.Thread(target=self._talk, args=(talking,))
        sender.start()
        try:
            return [_all(line) for line, _ in self.lines]
        finally:
            talking.set()
            sender.join()

    def _talk(self, done: threading.Event) -> None:
        while not done.wait(1):
            self.send_more()


def _unread(port: int) -> int:
    """Returns the number of bytes that have arrived for the server and that it has not read, as Linux counts them."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    connected = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return sum(int(row[4].partition(":")[2], 16) for row in connected)


def _all(line: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError):
        while chunk := line.recv(65_536):
            answer += chunk
    return answer


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with live.web(tmp_path_factory.mktemp("web") / "web.log", workers=2) as web:
        yield web


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Web]:
    """A server whose memory no other request has filled and freed."""
    with live.web(tmp_path / "web.log", workers=2) as web:
        yield web


@pytest.fixture
def nurse() -> str:
    return factories.api_client(factories.hire("nurse.ann", "nurse")).token


def test_fifty_slow_bodies_and_two_hundred_slow_headers_delay_no_request(server: Web, nurse: str) -> None:
    with ExitStack() as stack:
        slow = Slow(server, stack)
        slow.open(25, WITH_A_LENGTH)
        slow.open(25, IN_CHUNKS)
        slow.open(1, OF_A_PAGE)
        slow.open(200, HEADERS)
        for _ in range(3):
            slow.send_more()
            for _ in range(10):
                assert server.ask("GET", "/v1/doctors", Authorization=f"Bearer {nurse}").status == 200
                assert server.ask("GET", "/health/live").status == 200
            assert server.ask("GET", "/health/ready").json["checks"]["database"] == "ok"
            assert server.ask("POST", "/v1/auth/login", {"username": "nurse.ann", "password": factories.PASSWORD}).status == 200
        assert all(_is_open(line) for line, _ in slow.lines)
        replies = slow.until_closed()
    for reply in replies[:50]:
        head, _, body = reply.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 "), reply[:200]
        assert json.loads(body)["error"]["code"] == "REQUEST_TIMEOUT"
        assert b"x-request-id: req_" in head
    assert replies[50].startswith(b"HTTP/1.1 408 ")
    assert b"<h1>The form arrived too slowly</h1>" in replies[50]
    assert replies[51:] == [b""] * 200  # a request without its headers is none yet


def _is_open(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    finally:
        line.settimeout(20)


@pytest.mark.parametrize("headers", [b"Content-Length: 52428800\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_fifty_megabytes_are_refused_and_never_held(fresh_server: Web, headers: bytes) -> None:
    """The client reads nothing before it has sent all."""
    workers = cpu.family(fresh_server.pid)
    before = sum(cpu.resident(pid) for pid in workers)
    chunked = b"chunked" in headers
    piece = b"x" * 1_048_576
    with socket.create_connection(("127.0.0.1", fresh_server.port), timeout=20) as line:
        line.sendall(HEAD + headers)
        for _ in range(50):
            line.sendall(b"100000\r\n" + piece + b"\r\n" if chunked else piece)
        line.sendall(b"0\r\n\r\n" if chunked else b"")
        reply = line.recv(65_536)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"PAYLOAD_TOO_LARGE" in reply
    assert sum(cpu.resident(pid) for pid in workers) - before < 40


def test_health_answers_while_every_web_thread_waits_for_the_database(server: Web) -> None:
    """A lock on the table of the sign-ins: two of them stand still until it is given back, and health does not."""
    asking: list[threading.Thread] = []

    def ask_again() -> bool:
        """One more sign-in, because one process may have accepted all earlier ones, and the other may still be starting."""
        asking.append(threading.Thread(target=_sign_in, args=(server, f"nobody{len(asking)}")))
        asking[-1].start()
        return live.eventually(lambda: _waiting() >= 2, within=2)

    with connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")
        try:
            assert live.eventually(ask_again, within=60)
            for _ in range(5):
                assert server.ask("GET", "/health/live").json == {"status": "ok"}
                assert server.ask("GET", "/health/ready").json["checks"]["database"] == "ok"
            assert _waiting() >= 2
        finally:
            cursor.execute("ROLLBACK")
    for thread in asking:
        thread.join()


def _sign_in(server: Web, username: str = "nobody") -> None:
    server.ask("POST", "/v1/auth/login", {"username": username, "password": "wrong"})


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'accounts_user'::regclass")
        return cursor.fetchone()[0]


BROKEN_OFF = {
    "closed in mid-body": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "closed in mid-body of a length": b"Content-Length: 9\r\n\r\n{}",
    "a chunk longer than it said": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX\r\n0\r\n\r\n",
    "a size that is no number": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nZZ\r\n",
}


@pytest.mark.parametrize("rest", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_a_body_that_breaks_off_is_no_shorter_body(server: Web, rest: bytes) -> None:
    """The bytes that came are a whole document; the application never sees them, and the log has no error of ours."""
    before = len(server.log.read_text())
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(HEAD + rest)
        line.shutdown(socket.SHUT_WR)
        reply = _all(line)
    assert reply.startswith(b"HTTP/1.1 400 "), reply
    assert b"VALIDATION_ERROR" not in reply
    assert "ERROR" not in server.log.read_text()[before:]


def test_a_body_in_chunks_is_read_whole(server: Web) -> None:
    reply = server.say(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b"VALIDATION_ERROR" in reply


def test_bodies_that_wait_for_a_busy_web_thread_are_held_up_to_a_limit(tmp_path: Path) -> None:
    """A worker that waits for the database takes in 64 MB, and refuses what comes beyond that."""
    count, size = 72, 1_000_000
    begin = b"POST /v1/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    with live.web(tmp_path / "web.log") as server, ExitStack() as stack, connection.cursor() as cursor:
        asking = [threading.Thread(target=_sign_in, args=(server,)) for _ in range(4)]
        cursor.execute("BEGIN; LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")
        try:
            for thread in asking:
                thread.start()
            assert live.eventually(lambda: _waiting() >= 1)
            lines = []
            for _ in range(count):
                line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
                line.sendall(begin + b" " * size)
                lines.append(line)
            assert live.eventually(lambda: not _unread(server.port))
            assert _waiting() >= 1
        finally:
            cursor.execute("ROLLBACK")
        replies = [_all(line).split(b" ", 2)[1] for line in lines]
        for thread in asking:
            thread.join()
        assert 1 <= replies.count(b"503") <= 20
        assert server.ask("GET", "/health/live").status == 200
        again = [server.say(begin + b" " * size) for _ in range(3)]
    assert not [reply for reply in again if reply.startswith(b"HTTP/1.1 503 ")]  # reserved bytes are released
