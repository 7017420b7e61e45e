"""The toy hospital: made-up staff and patients that are the same on every machine, and the way back to the first day.

Three patients are written by hand (`data/`), the rest of the ward is drawn with a fixed seed. Everything goes in through the
services of the apps below, so a sample chart obeys what a real one obeys. The app is installed in the sandbox and in tests
only; it announces nothing of its own.
"""
