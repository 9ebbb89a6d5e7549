"""Small values that all other folders stand on; they import nothing else of the SDK."""
