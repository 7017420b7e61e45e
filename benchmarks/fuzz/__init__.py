"""schemathesis against a running sandbox: every operation, every check, in every phase. See docs/fuzzing.md."""
