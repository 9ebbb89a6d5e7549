"""What the program is told: events, log records, metrics."""
