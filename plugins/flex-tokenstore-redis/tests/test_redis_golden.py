"""The Redis store and what its last version wrote: one reads and honours what the other writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from redis_golden import RedisVessel
from tests.support.golden import load
from tests.support.golden_tests import GoldenTests

if TYPE_CHECKING:
    from tests.servers.valkey import Valkey


class TestRedis(GoldenTests):
    golden = load(Path(__file__).parent)

    @pytest.fixture
    def vessel(self, valkey_server: Valkey) -> Iterator[RedisVessel]:
        with closing(RedisVessel(valkey_server)) as vessel:
            yield vessel
