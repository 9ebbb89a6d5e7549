"""From what a program or its environment says to the typed options of one store."""
