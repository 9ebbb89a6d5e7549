"""The Vault store and what its last version wrote: one reads and honours what the other writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.golden import NEXT, load
from tests.support.golden_tests import GoldenTests
from tests.support.handles import Open
from vault_golden import VaultVessel
from vault_support import KEY

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao


class TestVault(GoldenTests):
    golden = load(Path(__file__).parent)

    @pytest.fixture
    def vessel(self, openbao_server: OpenBao) -> Iterator[VaultVessel]:
        with closing(VaultVessel(openbao_server)) as vessel:
            yield vessel

    def test_a_removal_that_was_killed_halfway_has_removed_the_token(
        self, vessel: VaultVessel, opened: Open
    ) -> None:
        """The last version writes a tombstone, and then destroys what was there."""
        vessel.put({KEY: {"versions": self.golden["vault"]["tokens"]["full"][KEY]["versions"]}})
        vessel.plant({"token": None})
        store = opened(vessel.config)
        assert store.get_token() is None
        store.set_token(NEXT, None)
        assert store.get_token() == NEXT
