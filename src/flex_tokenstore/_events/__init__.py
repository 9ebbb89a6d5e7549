"""What the program is told about tokens: events, log records, metrics."""
