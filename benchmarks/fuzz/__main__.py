"""`make fuzz`: schemathesis against a sandbox of its own, as each of three roles. Prints what it finds; exit code 1 for any."""

# ruff: noqa: S603 (the commands are our own constants)

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.drills import system
from hims.launch import paths

ACCOUNTS = {"receptionist": "reception.kim", "doctor": "dr.patel", "admin": "admin"}  # the admin last: it changes the others
HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
PHASES = "examples,coverage,fuzzing,stateful"


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 1 where schemathesis found a failure or could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Runs schemathesis; see docs/fuzzing.md.")
    parser.add_argument("--only", default="", help=f"some of the roles {','.join(ACCOUNTS)}")
    parser.add_argument("--port", type=int, help="of a sandbox that runs already; its data is changed")
    parser.add_argument("options", nargs="*", help="of schemathesis, after --, such as --include-path /patients")
    options = parser.parse_args(arguments)
    roles = options.only.split(",") if options.only else list(ACCOUNTS)
    if unknown := set(roles) - set(ACCOUNTS):
        parser.error(f"there is no role {', '.join(sorted(unknown))}; known are {', '.join(ACCOUNTS)}")
    if options.port:
        return max([_fuzz(role, options.port, options.options) for role in roles])
    with tempfile.TemporaryDirectory(prefix="hims-fuzz-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)  # the servers' user passes through
        port = system.free_port()
        with system.running(port, Path(place) / "data"):
            return max([_fuzz(role, port, options.options) for role in roles])


def _fuzz(role: str, port: int, options: Sequence[str]) -> int:
    sys.stdout.write(f"\n== As {role} ({ACCOUNTS[role]}) ==\n")
    sys.stdout.flush()
    address = f"http://127.0.0.1:{port}/v1"
    with tempfile.TemporaryDirectory(prefix="hims-fuzz-") as folder:  # schemathesis writes its database of examples into it
        environment = os.environ | {
            "SCHEMATHESIS_HOOKS": "benchmarks.fuzz.hooks",
            "PYTHONPATH": str(paths.PROJECT),
            "HIMS_FUZZ_URL": address,
            "HIMS_FUZZ_USER": ACCOUNTS[role],
            "HIMS_FUZZ_PASSWORD": system.PASSWORD,
        }
        command = [
            *("nice", "-n", "19", str(UV), "run", "--no-project", "--with-requirements", str(HERE / "requirements.txt")),
            *("schemathesis", "run", f"{address}/openapi.json", "--url", address, "--workers", "1", "--seed", "1"),
            *("--phases", PHASES, "--checks", "all", "--max-examples", "5", "--continue-on-failure", "--request-timeout", "30"),
        ]
        return int(subprocess.run([*command, *options], cwd=folder, env=environment, check=False).returncode != 0)


if __name__ == "__main__":
    os.chdir(paths.PROJECT)
    sys.exit(main(sys.argv[1:]))
