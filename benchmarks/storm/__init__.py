"""Many holders of one expired token call at once; a server that rotates refresh tokens counts."""
