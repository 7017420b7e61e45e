"""The code behind `make run`: its own PostgreSQL and Redis, the processes of HIMS, progress, and a clean stop.

`install` creates the virtual environment, `binaries` finds server programs, `embedded` shares running servers between all
processes of one data folder, `supervisor` guards each server, `processes` starts and restarts children, `disk_guard` stops writes
on a full disk, `__main__` is `make run`.
"""
