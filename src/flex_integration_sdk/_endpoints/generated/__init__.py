"""The methods of the endpoints, one file for each resource of the API.

Do not edit these files: ``python tools/generate.py`` makes them from ``_endpoints/table.py``.
"""
