"""The audit log: who read or changed what, or was refused, when and from where. Rows are only ever added.

Writes arrive through `events` in the emitting transaction; the kit and `accounts` record reads, searches, denials and sign-ins
with `services.record`. No foreign keys: the log outlives the rows it refers to. No secrets, no bodies.

`sealing` joins the rows in a chain after the requests, `verification` checks that they are as they were sealed, `monitoring`
reports unusual access. docs/audit.md describes all of it.
"""
