"""`make bench`: servers of its own, in a data folder of their own, and then `bench`."""

import os
import sys
from contextlib import ExitStack
from importlib import import_module

import django

from benchmarks import databases, options
from hims import env
from hims.launch import embedded, paths
from hims.launch.errors import CannotStart
from hims.launch.progress import Progress

MEMORY_SHARE = 8  # PostgreSQL gets an eighth of the machine's memory, at most 2 GB
ENVIRONMENT = {"HIMS_ENV": "sandbox", "HIMS_RATE_LIMIT_SCALE": "1000000"}  # limits are counted but refuse no request


def main() -> int:
    """The exit code: 1 with a message where the measuring could not be done. A missed goal is no failure."""
    if not sys.platform.startswith("linux"):
        sys.stderr.write("The benchmarks read /proc: they need Linux.\n")
        return 1
    chosen = options.read(sys.argv[1:])
    _prepare_environment()
    progress = Progress()
    try:
        with ExitStack() as stack:
            with progress.step(f"Starting PostgreSQL and Redis in {paths.data_dir()}"):
                stack.enter_context(embedded.servers(say=progress.detail))
            os.environ["DATABASE_URL"] = databases.url(databases.name(chosen.rows))
            _begin_anchor_file(databases.name(chosen.rows))
            django.setup()
            import_module("benchmarks.bench").run(chosen, progress)  # knows models, which want settings first
    except CannotStart as error:
        sys.stderr.write(f"\nThe benchmarks stop: {error}\n")
        return 1
    return 0


def _prepare_environment() -> None:
    os.chdir(paths.PROJECT)
    os.environ.update(ENVIRONMENT)
    for name in ("DATABASE_URL", "REDIS_URL"):  # others' servers are neither filled nor loaded
        os.environ.pop(name, None)
    os.environ.setdefault("HIMS_DATA_DIR", str(paths.home(".hims-bench")))
    os.environ.setdefault("HIMS_PG_SHARED_BUFFERS", f"{_buffers()}MB")
    os.environ["DJANGO_SETTINGS_MODULE"] = env.settings_module()


def _begin_anchor_file(database: str) -> None:
    """Each size is a database with an audit chain of its own, which may have been made anew since the last run."""
    anchors = paths.data_dir() / "audit" / f"{database}.jsonl"
    anchors.unlink(missing_ok=True)
    os.environ["HIMS_AUDIT_ANCHOR_FILE"] = str(anchors)


def _buffers() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
    return max(256, min(2048, memory // MEMORY_SHARE))


if __name__ == "__main__":
    sys.exit(main())
