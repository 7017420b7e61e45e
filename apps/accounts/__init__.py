"""The people who sign in: staff and doctors, their sessions and tokens.

A signed-in person is a row in `Session` whose id every token carries as `sid`; ending that row ends the tokens at once. It
announces: staff hired, changed, deactivated; session started, ended, from a new place; second factor on, off; password forgotten.
"""
