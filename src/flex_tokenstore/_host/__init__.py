"""The machine: its folders, its file systems, and a lock among its processes."""
