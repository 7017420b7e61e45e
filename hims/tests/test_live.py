"""A real web server: bytes on the wire, and the days when Redis or PostgreSQL are away."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from apps.rest.models import SignInTry
from hims.tests import factories, live
from hims.tests.live import OwnRedis, Web

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = b"Host: 127.0.0.1\r\nConnection: close\r\n"
LOGIN = b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
WRONG = {"username": "nobody", "password": "wrong"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Web]:
    with live.web(tmp_path / "web.log") as web:
        yield web


def parsed(answer: bytes) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer; what is no HTTP answer is an error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    return status, json.loads(body) if body.startswith(b"{") else {}


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_bytes_on_the_wire(server: Web) -> None:
    """One server for all of these: starting one takes seconds."""
    the_server_does_not_say_what_it_is(server)
    a_body_in_chunks_is_read(server)
    a_large_body_is_refused_early(server)
    what_is_hardly_http_is_refused(server)
    a_header_that_is_not_ascii_is_refused_not_ignored(server)
    the_unsent_rest_of_a_body_does_not_hang_the_others(server)
    assert "Traceback" not in server.log.read_text()


def the_server_does_not_say_what_it_is(server: Web) -> None:
    answer = server.say(b"GET /v1/version HTTP/1.1\r\n" + HEAD + b"\r\n").lower()
    assert b"200 ok" in answer
    assert not [name for name in (b"granian", b"python", b"django", b"x-powered-by") if name in answer]


def a_body_in_chunks_is_read(server: Web) -> None:
    body = json.dumps(WRONG).encode()
    whole = chunk(body) + b"0\r\n\r\n"
    status, reply = parsed(server.say(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + whole))
    assert (status, reply["error"]["message"]) == (401, "Invalid credentials")
    pieces = [
        LOGIN + b"Transfer-Encoding: chunked\r\n\r\n",
        *(chunk(body[n : n + 7]) for n in range(0, len(body), 7)),
        b"0\r\n\r\n",
    ]
    assert parsed(server.say(*pieces, pause=0.02))[0] == 401
    assert parsed(server.say(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))[0] == 400
    large = chunk(b"x" * 65_536) * 17 + b"0\r\n\r\n"
    status, reply = parsed(server.say(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + large))
    assert (status, reply["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def a_large_body_is_refused_early(server: Web) -> None:
    """The reply comes while the client still has most of the body to send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(LOGIN + b"Content-Length: 50000000\r\n\r\n" + b"x" * 1_000)
        status, reply = parsed(line.recv(65_536))
    assert (status, reply["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def what_is_hardly_http_is_refused(server: Web) -> None:
    for request in (
        b"GET /v1/patients/%00 HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1/../health/live HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1//patients HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1/doctors?search=%ff&search=a%00b HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1/" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1/\xff\xfe HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /v1/auth/me HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer \xff\xfe\x00\r\n\r\n",
        b"GET /v1/auth/me HTTP/1.1\r\n" + HEAD + b"X-Request-ID: a\tb\tc\td\te\tf\r\n\r\n",
        b"GET /v1/version HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /v1/version HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
        b"GET /v1/version HTTP/1.1\r\nConnection: close\r\n\r\n",
        LOGIN + b"Content-Length: \xb2\r\n\r\n",
        LOGIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        LOGIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        LOGIN + b"Transfer-Encoding: gzip\r\n\r\n{}",
    ):
        answer = server.say(request)
        assert not answer or 400 <= parsed(answer)[0] < 500, (request[:80], answer[:300])


def a_header_that_is_not_ascii_is_refused_not_ignored(server: Web) -> None:
    """An Idempotency-Key that was ignored would let the same booking run twice."""
    user = factories.hire("reception.desk", "receptionist")
    signed_in = server.ask("POST", "/v1/auth/login", {"username": user.username, "password": factories.PASSWORD})
    token = signed_in.json["data"]["tokens"]["access_token"].encode()
    head = (
        b"POST /v1/patients HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer " + token + b"\r\nContent-Type: application/json\r\n"
    )
    for key in ("\xe9".encode(), b"\xe9", b"a\x85"):
        status, reply = parsed(server.say(head + b"Idempotency-Key: " + key + b"\r\nContent-Length: 2\r\n\r\n{}"))
        assert (status, reply["error"]["details"]["errors"][0]["field"]) == (400, "Idempotency-Key"), key
    twice = b"Accept-Language: en\r\nAccept-Language: de\r\n"  # a repeated header does not hide the one that cannot be read
    status, reply = parsed(server.say(head + twice + b"Idempotency-Key: \xe9\r\nContent-Length: 2\r\n\r\n{}"))
    assert (status, reply["error"]["details"]["errors"][0]["field"]) == (400, "Idempotency-Key")
    patch = head.replace(b"POST /v1/patients", b"PATCH /v1/patients/" + str(factories.register_patient().pk).encode())
    status, reply = parsed(server.say(patch + b'If-Match: \xe9\r\nContent-Length: 15\r\n\r\n{"city":"Bonn"}'))
    assert (status, reply["error"]["details"]["errors"][0]["field"]) == (400, "If-Match")
    status, reply = parsed(server.say(head + b"Idempotency-Key: plain\r\nContent-Length: 2\r\n\r\n{}"))
    assert (status, reply["error"]["details"]["errors"][0]["field"]) != (400, "Idempotency-Key")


def the_unsent_rest_of_a_body_does_not_hang_the_others(server: Web) -> None:
    answer = server.ask("GET", "/v1/version")
    assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(answer.body)))
    assert server.ask("HEAD", "/v1/version").body == b""


def redis_is(web: Web) -> str:
    """What the server thinks of its Redis."""
    return web.ask("GET", "/health/ready").json["checks"]["redis"]


def sign_in_six_times_at(first: Web, second: Web) -> list[live.Reply]:
    return [(first, second)[n % 2].ask("POST", "/v1/auth/login", WRONG) for n in range(6)]


@pytest.mark.parametrize("fault", [OwnRedis.freeze, OwnRedis.kill], ids=["frozen", "killed"])
def test_without_redis_work_goes_on_and_sign_in_stays_limited(tmp_path: Path, fault: Any) -> None:
    """Two web servers that share nothing but PostgreSQL."""
    nurse = factories.api_client(factories.hire("nurse.ann", "nurse"))
    with ExitStack() as stack:
        redis = stack.enter_context(live.own_redis())
        first, second = (stack.enter_context(live.web(tmp_path / f"{n}.log", REDIS_URL=redis.url)) for n in (1, 2))
        assert redis_is(first) == "ok"
        fault(redis)
        replies = [web.ask("GET", "/v1/doctors", Authorization=f"Bearer {nurse.token}") for web in (first, second) * 5]
        assert {reply.status for reply in replies} == {200}
        tries = sign_in_six_times_at(first, second)
        assert [reply.status for reply in tries] == [401] * 5 + [429]
        assert int(tries[-1].headers["Retry-After"]) > 50
        assert live.eventually(lambda: redis_is(first) == "down", within=10)  # a worker repeats its result for a second
        if fault is OwnRedis.freeze:
            redis.thaw()
        else:
            redis.start()
        assert live.eventually(lambda: redis_is(first) == "ok", within=10)
        assert first.ask("GET", "/v1/doctors", Authorization=f"Bearer {nurse.token}").status == 200
    counted = Counter(SignInTry.objects.values_list("key", flat=True))
    assert set(counted.values()) == {5}  # by address and name, and failures by address


def test_without_postgres_every_door_says_so_and_when_to_come_back(tmp_path: Path) -> None:
    nowhere = f"postgres://hims@127.0.0.1:{live.free_port()}/hims"
    with live.web(tmp_path / "web.log", DATABASE_URL=nowhere) as web:
        token = "eyJhbGciOiJIUzI1NiJ9.e30.x"
        for reply in (web.ask("POST", "/v1/auth/login", WRONG), web.ask("POST", "/v1/auth/login", WRONG)):
            assert (reply.status, reply.json["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
            assert reply.headers["Retry-After"] == "2"
        assert (
            web.ask("GET", "/v1/auth/me", Authorization=f"Bearer {token}").status == 401
        )  # no token of ours: no user is looked up
        for path in ("/admin/", "/admin/patients/patient/", "/admin/login/"):
            page = web.ask("GET", path, Cookie="sessionid=0123456789abcdefghijklmnopqrstuv")
            assert (page.status, page.headers["Retry-After"]) == (503, "2")
            assert b"HIMS is not available right now" in page.body
        assert web.ask("GET", "/static/errors.css").status == 200
        assert web.ask("GET", "/developers/").status == 200
        assert web.ask("GET", "/v1/version").status == 200
        assert web.ask("GET", "/health/live").status == 200
        health = web.ask("GET", "/health/ready")
        assert (health.status, health.json["status"], health.json["checks"]["database"]) == (503, "down", "down")
        assert health.headers["Retry-After"] == "2"
