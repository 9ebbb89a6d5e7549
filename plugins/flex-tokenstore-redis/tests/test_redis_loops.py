"""An async handle outlives its event loop: the next one gets connections of its own."""

from __future__ import annotations

import sys

import pytest

from redis_support import redis_config
from tests.servers.tls import Certificates, tls_proxy
from tests.servers.valkey import Valkey
from tests.support.loops import check_at_once, check_one_after_the_other

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts sockets in /proc")


def connections(server: Valkey) -> int:
    return int(server.run("CLIENT", "LIST").count(b"\n"))


@linux
def test_one_loop_after_the_other(valkey_server: Valkey) -> None:
    check_one_after_the_other(redis_config(valkey_server.url), lambda: connections(valkey_server))


@linux
def test_one_loop_after_the_other_with_tls(
    valkey_server: Valkey, certificates: Certificates
) -> None:
    with tls_proxy(valkey_server.port, certificates) as port:
        config = redis_config(f"rediss://localhost:{port}", ca_file=str(certificates.certificate))
        check_one_after_the_other(config, lambda: 0)


@linux
@pytest.mark.slow
def test_one_loop_after_the_other_in_a_cluster(valkey_cluster: Valkey) -> None:
    check_one_after_the_other(redis_config(valkey_cluster.url, cluster=True), lambda: 0)


def test_several_loops_at_once(valkey_server: Valkey) -> None:
    check_at_once(redis_config(valkey_server.url))
