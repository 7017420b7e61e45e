"""The trail: who looked at, changed or was refused what, when and from where. Rows are only ever added.

Writes arrive through `events` in the announcing transaction; reads, searches, denials and sign-ins are noted by the kit and by
`accounts` with `services.record`. No foreign keys: the trail outlives what it speaks of. No secrets, no bodies.

`sealing` joins the rows in a chain behind the requests, `verification` says whether they are as they were sealed, `monitoring`
announces unusual reading. docs/audit.md tells the whole.
"""
