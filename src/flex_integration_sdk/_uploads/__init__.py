"""A file's own bytes, which go to a signed URL and not to the API."""
