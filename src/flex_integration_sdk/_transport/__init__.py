"""Sends one request and reads its response, in time, over connections that instances share.

``sync`` and ``aio`` are the two HTTP clients. ``deadline`` ends a request in time, ``http_errors``
words what went wrong, ``connection_pool`` and ``clients`` share the connections, ``network`` and
``new_connections`` make them, ``proxy_and_tls`` reads the environment, ``quiet`` keeps logs clean.
"""
