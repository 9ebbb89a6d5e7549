"""What the API has names for: the relationships of its resources, and closed sets of names."""
