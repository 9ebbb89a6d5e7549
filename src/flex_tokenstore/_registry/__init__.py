"""Which stores are installed, which may be used, and how a class is loaded by its name."""
