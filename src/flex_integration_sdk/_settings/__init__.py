"""What an instance is made from: the client secret, the server's address, the variables.

``flex_integration_sdk.config`` puts them together.
"""
