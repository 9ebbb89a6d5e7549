"""The built-in store that keeps the token in a file of this computer."""
