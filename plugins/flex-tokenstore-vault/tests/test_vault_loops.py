"""An async handle outlives its event loop: the next one gets connections of its own."""

from __future__ import annotations

import sys

import pytest

from tests.servers.openbao import OpenBao
from tests.servers.tls import Certificates
from tests.support.loops import check_at_once, check_one_after_the_other
from vault_support import config

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts sockets in /proc")


@linux
@pytest.mark.parametrize("name", ["vault", "vault-kv1"])
def test_one_loop_after_the_other(openbao_server: OpenBao, name: str) -> None:
    mount = {"mount": "kv1"} if name == "vault-kv1" else {}
    check_one_after_the_other(config(openbao_server, **mount) | {"name": name}, lambda: 0)


@linux
@pytest.mark.slow
def test_one_loop_after_the_other_with_tls(
    tls_openbao: OpenBao, certificates: Certificates
) -> None:
    choice = config(tls_openbao, ca_file=str(certificates.certificate))
    check_one_after_the_other(choice, lambda: 0)


def test_several_loops_at_once(openbao_server: OpenBao) -> None:
    check_at_once(config(openbao_server))
