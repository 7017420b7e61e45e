"""Runs Python code in fresh processes at the price of a fork: only their server, which starts once, imports the slow modules.

`run_code` starts the server, `python -m hims.tests.forking`, with the first code. It imports no module of HIMS and none that
reads the environment or settings, so the code reads its own. It ends with the process that started it, which closes its input.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path
from subprocess import PIPE, CompletedProcess
from typing import IO, NoReturn

SECONDS = 60  # the code is killed after this time
IMPORTED = ("django.contrib.admin", "django_stubs_ext", "environ", "redis", "celery", "psycopg")


def run_code(code: str, environment: dict[str, str]) -> CompletedProcess[str]:
    """Runs the code as `python -c` does, in a process whose whole environment is the given one."""
    server = _server()
    assert server.stdin
    assert server.stdout
    print(json.dumps({"code": code, "environment": environment}), file=server.stdin, flush=True)
    return CompletedProcess(code, **json.loads(server.stdout.readline()))


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hims.tests.forking"]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=PIPE, stdout=PIPE, text=True)


def serve() -> None:
    """Reads one request per line, in JSON: `code` and `environment`. Replies with a line: `returncode`, `stdout`, `stderr`."""
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            child = os.fork()
            if not child:
                _run(request["code"], request["environment"], output, errors)
            _, status = os.waitpid(child, 0)
            reply = {"returncode": os.waitstatus_to_exitcode(status), "stdout": _text(output), "stderr": _text(errors)}
        print(json.dumps(reply), flush=True)


def _run(code: str, environment: dict[str, str], output: IO[bytes], errors: IO[bytes]) -> NoReturn:
    """Runs the code in the child and ends it, with 1 after an exception."""
    signal.alarm(SECONDS)
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c"]
    returncode = 1
    try:
        exec(code, {"__name__": "__main__"})
        returncode = 0
    except SystemExit as end:
        returncode = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(returncode)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    serve()
