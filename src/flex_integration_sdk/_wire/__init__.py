"""What is sent and what a response means, without any I/O.

``requests`` and ``query`` write, ``interpret`` reads; ``token_messages`` does both for the token
endpoint. ``redirects``, ``retry_after``, ``media_types`` and ``rate_limits`` are rules of HTTP and
of the API; ``origin`` tells a gateway's response from the server's; ``type_handlers`` puts a
program's own types in place of the SDK's.
"""
