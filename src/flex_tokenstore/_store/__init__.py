"""An opened store: one store and one identity, for sync and for asyncio programs."""
