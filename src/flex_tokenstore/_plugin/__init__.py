"""A store's object and its hooks: which it has, how they are called, what their errors become."""
