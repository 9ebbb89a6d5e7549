"""What the sandbox stores, and what it starts with."""
