"""Lifecycles: the states of a record and its legal moves as data, and the one way in which a row is moved.

`states.Lifecycle` is the data. It imports no Django, so an app declares it in its `rules.py`. `machine.StateMachine` locks a row,
checks a move, writes it in one guarded UPDATE, records it in the row's history, and returns a `Transition`. The caller emits the
event. The kit knows no app; `docs/lifecycles.md` shows how an app declares its own.
"""
