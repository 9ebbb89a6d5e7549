"""The SDK instances that a program uses: made, called, closed.

``create`` makes them by ``builder``; ``sync`` and ``aio`` are the two kinds and ``base`` is what
both share. ``oauth`` requests tokens for their session. ``calls`` refuses nested calls, ``at_exit``
closes what nobody closed, ``auth_info`` and ``plain`` are what a program reads.
"""
