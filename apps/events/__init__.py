"""Events and the outbox.

`emit(fact, by=actor)` announces a change once, inside the transaction that makes it. The call writes one outbox row, lets the
synchronous listener (only the audit log) write in the same transaction, and wakes the relay on commit. The relay creates one
delivery row for every listener that registered for the event and passes each to a task: at least once, and without harm, since
(event, listener) is unique.
"""
