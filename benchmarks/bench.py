"""One run: the stage is set, the workloads come one after another, each is reported as soon as it is done."""

from contextlib import ExitStack

from benchmarks import quiet
from benchmarks.options import WORKLOADS, Options
from benchmarks.report import Report
from benchmarks.stage import Stage
from benchmarks.workloads import ALL
from hims.launch.progress import Progress


def run(options: Options, progress: Progress) -> None:
    """Measure what was asked for. Raises CannotStart."""
    with ExitStack() as stack:
        stage = Stage(options, stack, progress)
        if not options.busy:
            quiet.require(progress.line)
        report = Report(options, stage.database, f"{quiet.state()} at the start")
        progress.line(report.conditions)
        for name in [name for name in WORKLOADS if name in options.only]:
            with progress.step(f"Measuring {name}"):
                rows = ALL[name](stage)
            report.add(name, rows)
    progress.line(f"The table is in {options.out}.")
