"""The built-in stores; they register as any plugin does."""
