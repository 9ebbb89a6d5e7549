"""The contract as one class."""

from __future__ import annotations

from ._conduct import EventLoopTests, PluginTests
from ._conflicts import ConflictTests
from ._failures import CorruptionTests, OutageTests, SecretTests
from ._locks import LeaseTests, LockTests
from ._model import ModelTests
from ._renewals import RenewalTests
from ._sharing import SharingTests
from ._storage import IdentityTests, StorageTests


class TokenStoreContract(
    StorageTests,
    IdentityTests,
    SharingTests,
    ConflictTests,
    LockTests,
    LeaseTests,
    OutageTests,
    CorruptionTests,
    SecretTests,
    PluginTests,
    RenewalTests,
    ModelTests,
    EventLoopTests,
):
    """What a token store promises, as tests; subclass it and override ``store_config``."""
