"""Measures what HIMS costs: each workload next to its floor, on the same data, in the same minutes.

`make bench` loads patients (`people`, `load`), serves HIMS and the floor (`stage`, `floor`), asks both in turn (`driver`,
`measure`), and writes `RESULTS.md` (`report`). `tables` is the one place that knows how patients are stored and searched.
The unit is CPU milliseconds a request, which a busy machine disturbs least. Nothing in HIMS imports this package.
"""
