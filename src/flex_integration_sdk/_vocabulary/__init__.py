"""What the API has names for: the relationships of its resources, and the closed sets."""
