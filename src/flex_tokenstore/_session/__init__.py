"""The session: one flow without I/O, and what drives it for threads and for tasks."""
