"""What `make run` does: PostgreSQL and Redis of its own, the processes of HIMS, progress, and a clean stop.

`install` makes the virtual environment, `binaries` finds server programs, `embedded` shares running servers between everyone
who works on one data folder, `supervisor` guards each server, `processes` starts and restarts children, `disk_guard` stops writes
on a full disk, `__main__` is `make run`.
"""
