"""What is read of a certificate that is not trusted; compared with what its maker says."""

from __future__ import annotations

import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk._doctor.server_certificate import read_certificate
from tests.servers.tls import Certificates
from tests.support.way import Authority


def der(files: Certificates) -> bytes:
    return ssl.PEM_cert_to_DER_cert(files.certificate.read_text())


def test_it_is_what_the_authority_wrote(tmp_path: Path) -> None:
    made = Authority(tmp_path, "Zertifikate für alle GmbH").issue(
        "a.example", "*.b.example", begin=-2, end=400
    )
    found = read_certificate(der(made))
    assert found.issuer == "Zertifikate für alle GmbH"
    assert found.names == ("a.example", "*.b.example")
    now = datetime.now(UTC)
    assert abs(found.not_before - (now - timedelta(days=2))) < timedelta(minutes=1)
    assert abs(found.not_after - (now + timedelta(days=400))) < timedelta(minutes=1)


def test_a_time_beyond_2049_has_another_form(tmp_path: Path) -> None:
    made = Authority(tmp_path, "A").issue("a.example", end=40 * 365)
    assert read_certificate(der(made)).not_after.year > 2060


def test_one_of_openssl(certificates: Certificates) -> None:
    found = read_certificate(der(certificates))
    assert found.issuer == "localhost"
    assert found.names == ("localhost",)


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80", b"\x30\x02\x30\x05", b"HTTP/1.1"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_certificate(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_certificate(data)


@given(at=st.integers(0, 2000), new=st.integers(0, 255))
def test_a_changed_certificate_is_read_or_refused(
    certificates: Certificates, at: int, new: int
) -> None:
    data = bytearray(der(certificates))
    data[at % len(data)] = new
    with contextlib.suppress(ValueError):
        read_certificate(bytes(data))
