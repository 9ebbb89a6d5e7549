"""What a failure of TLS means, wherever among an error's causes it is."""

from __future__ import annotations

import ssl

import pytest

from flex_tokenstore.records import Kind, Problem, tls_problem


def reason(text: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {text}] SENTINEL")
    error.reason = text
    return error


def caused_by(cause: BaseException) -> Exception:
    try:
        try:
            raise cause
        except BaseException as error:
            raise OSError("SENTINEL") from error
    except OSError as error:
        return error


def of_a_certificate() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "SENTINEL")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (of_a_certificate(), ("self-signed certificate", "set ca_file")),
        (reason("WRONG_VERSION_NUMBER"), ("WRONG_VERSION_NUMBER", "supports TLS")),
        (reason("TLSV13_ALERT_CERTIFICATE_REQUIRED"), ("demands a client certificate",)),
        (ssl.SSLError(), ("no TLS", "supports TLS")),
        (OSError("[SSL: WRONG_VERSION_NUMBER] SENTINEL"), ("WRONG_VERSION_NUMBER",)),
        (OSError("[SSL] SENTINEL"), ("no TLS",)),
    ],
    ids=["certificate", "no TLS there", "client", "no reason", "text", "text without a reason"],
)
def test_each_failure_of_tls_has_its_remedy(error: Exception, says: tuple[str, ...]) -> None:
    wrapped = [caused_by(error)] if isinstance(error, ssl.SSLError) else []
    for each in (error, *wrapped):
        problem = tls_problem(each)
        assert isinstance(problem, Problem)
        assert problem.kind is Kind.UNAVAILABLE
        assert all(word in problem.text for word in ("TLS failed", *says))
        assert "SENTINEL" not in problem.text


def test_another_error_is_none_of_tls() -> None:
    circle = OSError("SENTINEL")
    circle.__cause__ = circle
    assert tls_problem(circle) is None
    assert tls_problem(caused_by(ConnectionResetError())) is None
