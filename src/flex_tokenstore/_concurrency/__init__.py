"""Threads, event loops and forks: what waits, what runs where, what belongs to one process."""
