"""A server that runs Python code in fresh processes at the price of a fork: only the server imports the slow modules.

`python -m hims.tests.forking MODULE ...` imports the modules and then reads one request per line, in JSON: `code` and
`environment`, which is the whole environment of the code. It replies with one line of JSON: `returncode`, `stdout` and `stderr`.
Import only modules that do not read the environment, for they see the server's.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from typing import IO, NoReturn

SECONDS = 60  # the code is killed after this time


def serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            child = os.fork()
            if not child:
                run(request["code"], request["environment"], output, errors)
            _, status = os.waitpid(child, 0)
            reply = {"returncode": os.waitstatus_to_exitcode(status), "stdout": text(output), "stderr": text(errors)}
        print(json.dumps(reply), flush=True)


def run(code: str, environment: dict[str, str], output: IO[bytes], errors: IO[bytes]) -> NoReturn:
    """Runs the code as `python -c` does, in the child, and ends it: with 1 after an exception."""
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


def text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    serve()
