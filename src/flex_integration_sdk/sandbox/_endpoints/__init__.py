"""The server's side of the endpoints: ``router`` finds the endpoint of a request.

Each of the others has the endpoints of one or a few resources. ``parameters`` reads what a request
says, ``pages`` writes what it gets, ``context`` is what the endpoints share.
"""
