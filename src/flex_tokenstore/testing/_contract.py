"""The contract as one class."""

from __future__ import annotations

from ._atomic import AtomicityTests
from ._clocks import ClockTests
from ._conduct import EventLoopTests, PluginTests
from ._conflicts import ConflictTests
from ._exposure import ExposureTests
from ._failures import CorruptionTests, OutageTests, SecretTests
from ._forms import TokenFormTests
from ._leftovers import FailedTryTests, FileTests
from ._lock_conduct import LockConductTests
from ._locks import LeaseTests, LockTests
from ._model import ModelTests
from ._network import NetworkTests
from ._opening import OpeningTests
from ._parts import IdentityPartTests
from ._preparing import PreparingTests
from ._process import ProcessTests
from ._renewals import RenewalTests
from ._resources import ResourceTests
from ._sharing import SharingTests
from ._storage import IdentityTests, StorageTests


class TokenStoreContract(
    StorageTests,
    TokenFormTests,
    IdentityTests,
    IdentityPartTests,
    SharingTests,
    ConflictTests,
    LockTests,
    LockConductTests,
    LeaseTests,
    ClockTests,
    AtomicityTests,
    PreparingTests,
    OutageTests,
    NetworkTests,
    CorruptionTests,
    SecretTests,
    ExposureTests,
    FileTests,
    FailedTryTests,
    OpeningTests,
    ProcessTests,
    PluginTests,
    RenewalTests,
    ModelTests,
    EventLoopTests,
    ResourceTests,
):
    """What a token store promises, as tests; subclass it and override ``store_config``.

    A whole test file::

        class TestMyStore(TokenStoreContract):
            @pytest.fixture
            def store_config(self, tmp_path):
                return {"name": "my-store", "path": str(tmp_path / "tokens")}

            @pytest.fixture
            def outage(self, tmp_path):
                @contextmanager
                def broken():
                    with the_server_stopped():
                        yield

                return broken

            @pytest.fixture
            def plant(self, tmp_path):
                return lambda identity, content: (tmp_path / "tokens").write_bytes(content)

    Each test is run with ``open_store`` and with ``open_async_store``. What the store does not
    implement (compare-and-set, a lock, a lease, ``prepare_save``), and what a fixture is missing
    for, is skipped, and the reason is said. Long tests carry the marker ``slow``.

    Fixtures:
        store_config: A store config; one whose ``name`` is a store class, installed or not; or a
            function at the top level of a module that returns one. Child processes get it pickled.
        outage: Returns a function that returns a context manager; within it the backend is down.
            A token is stored when it is entered. The default is None: not tested.
        stall: The same; within it the backend takes requests and does not respond.
        server_address: Host and port of the backend's server, for a store that speaks TCP; the
            store must then connect to ``proxy.address``. Gives ``outage`` and ``stall`` by itself.
        proxy: The :class:`FaultProxy` before that server; for ``store_config``.
        fail_over: Returns a function that makes another server the primary, with the same tokens,
            has the old one refuse writes, and returns the new one's host and port.
        plant: Returns a function ``(identity, content: bytes)`` that puts the bytes where that
            identity's token is stored, past the store. The default is None: not tested.

    Attributes:
        shared_by: Who sees what one handle stores: ``"processes"``; ``"handles"`` of one
            process; ``"nobody"`` but this handle (then that is checked).
        one_identity: The config names the location of one token, so that no second identity
            can have one there (then that is checked).
        patience: Seconds within which a call must return while the backend is down or hangs.
        shortest_lease: Seconds of the shortest lease that the lock keeps to.
        one_host: True: all who share the store are programs of one host, with one clock. The
            default None: that is so if the store writes to files below ``tmp_path``.
        largest: Bytes of the largest token that the store promises to keep; below a megabyte,
            a larger one must be refused (that is checked).
    """
