"""Storms: real processes, threads and tasks that find an expired token at the same moment.

What a sandbox counted says how often the server was asked. ``pytest tests/storm --soak N`` plays
N rounds of the storms that are repeated.
"""
