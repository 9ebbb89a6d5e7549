"""``sdk.events.follow``: events as they happen, with a position that outlasts the program.

``work`` says what to do next, without I/O; ``turn`` judges whether this program may work, where
several replicas share a worker's name. ``sync`` and ``aio`` carry both out. ``position`` and
``cursor`` are what is kept between two runs, ``plan`` has the arguments, ``endpoints`` the methods.
"""
