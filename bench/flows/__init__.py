"""Whole verifications, measured from outside: `bench.flow` and `bench.soak`.

`servers` runs ours and the peers, each in a gunicorn of its own; `operator` is the
operator that all of them ask; `driver` plays the browsers.
"""
