"""The marketplace with which a sandbox starts.

Most of it is the same each time, so that tests can name what they expect. What a marketplace has of
the last days has times relative to the moment at which the database is made.
"""
