"""What a failure of TLS means, in the same words for all stores."""

from __future__ import annotations

import re
import ssl

from ._record import Kind, Problem

# What wraps an error of the ssl module may only repeat its text: "[SSL: WRONG_VERSION_NUMBER] …".
_reason_in = re.compile(r"\[SSL(?:: (\w+))?\]").search
_is_of_client = re.compile("CERTIFICATE|UNKNOWN_CA|HANDSHAKE").search


def tls_problem(error: BaseException) -> Problem | None:
    """What a failure of TLS means; None: neither this error nor what caused it is one.

    Ask for time-outs first: they may come while TLS is being negotiated.

    Args:
        error: Of a driver.
    """
    said = _reason_in(str(error))
    found: BaseException | None = error
    for _ in range(10):  # more causes than drivers' errors have; a circle must end
        if found is None or isinstance(found, ssl.SSLError):
            break
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        why = found.verify_message
        remedy = "check the host name; for a CA of your own, set ca_file"
    elif isinstance(found, ssl.SSLError) or said is not None:
        why = getattr(found, "reason", None) or (said and said[1]) or "no TLS"
        remedy = "check that the server supports TLS, and check the host name"
        if _is_of_client(why):
            remedy = "it demands a client certificate that it trusts: check cert_file and key_file"
    else:
        return None
    return Problem(Kind.UNAVAILABLE, f"TLS failed ({why}): {remedy}")
