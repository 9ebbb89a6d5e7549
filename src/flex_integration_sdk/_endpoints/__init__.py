"""The API's endpoints: ``table`` describes them, ``generated`` has their methods.

The methods come from the table by ``python tools/generate.py``. ``param_types`` has the types of
their arguments, ``response`` what they return, and ``lazy`` the attributes of an instance that
import their module when they are first used.
"""
