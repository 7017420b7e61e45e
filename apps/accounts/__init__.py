"""Users who sign in: staff and doctors, their sessions and tokens.

Every token carries the id of its `Session` row as `sid`; ending the row ends the tokens immediately. The app emits: staff hired,
changed, deactivated; session started, ended, from a new place; second factor on, off; password forgotten.
"""
