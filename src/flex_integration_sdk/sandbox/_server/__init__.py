"""The sandbox as a server: what it accepts, its tokens, planned faults, and how it runs."""
