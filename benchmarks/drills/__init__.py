"""Fault drills: a running system, clients with mixed work, one fault, and the check of what was promised (docs/drills.md)."""
