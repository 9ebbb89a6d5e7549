"""What can be uploaded: a file by its path, bytes, an open file, a stream, an iterable."""
