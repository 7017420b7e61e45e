"""The sandbox: invented staff and patients that are the same on every machine, and the reset to the initial state.

Three patients are written by hand (`data/`), the others are generated with a fixed seed. All data goes through the services of
the apps below, so a sample chart obeys the same rules as a real one. The app is installed only in the sandbox and in tests; it
emits no events.
"""
