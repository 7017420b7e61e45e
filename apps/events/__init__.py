"""Facts and the outbox.

A change is announced once, by `emit(fact, by=actor)`, inside the transaction that makes it. That call writes one outbox row,
lets the in-step listener (the audit trail, nobody else) write in the same transaction, and wakes the relay on commit. The
relay makes one delivery row for every listener that registered for the fact and hands each to a task: at least once, and
harmless, since (event, listener) is unique.
"""
