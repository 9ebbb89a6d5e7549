"""All resources of a kind as a file: begun again where it ended, and written whole."""
