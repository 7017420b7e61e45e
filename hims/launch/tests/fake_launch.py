"""`make run` with stand-ins: no migrations, and a small web server instead of HIMS. Arguments choose the crew."""

import sys

from hims.launch import __main__ as launcher
from hims.launch import paths
from hims.launch.processes import Program

WEB = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
IDLE = "import time; time.sleep(600)"
DYING = "import sys; sys.exit('the disk of this child is fine, the child is not')"


def programs(port: int) -> list[Program]:
    web = DYING if "dying-web" in sys.argv else WEB
    worker = DYING if "dying-worker" in sys.argv else IDLE
    return [_python("web", web, str(port)), _python("worker", worker, essential=False)]


def _python(name: str, *code: str, essential: bool = True) -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-c", *code],
        log=str(paths.log(name)),
        deaths=3,
        essential=essential,
        longest_pause=0.5,
    )


if __name__ == "__main__":
    launcher._prepare = lambda: None
    sys.exit(launcher.main(programs))
