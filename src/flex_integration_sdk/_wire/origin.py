"""What messages say of a response that the server cannot have sent."""

BETWEEN = (
    "something between this program and the server may have responded, such as a gateway, a proxy, "
    "a firewall or a network's sign-in page"
)
