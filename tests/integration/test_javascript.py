"""The official JavaScript SDK, unchanged, against the sandbox, and sharing its file with ours."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.sandbox import RunningSandbox

MODULES = Path(sys.prefix) / "js" / "node_modules"
NAME = "sharetribe-flex-integration-sdk"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (MODULES / NAME).exists(),
        reason="the JavaScript SDK is not installed; `dev.py test` does it where npm can",
    ),
]

PROGRAM = """
const lib = require(process.argv[1]);
const [, , baseUrl, clientId, clientSecret, store, ...calls] = process.argv;
const sdk = lib.createInstance({
  clientId, clientSecret, baseUrl,
  tokenStore: store === 'file' ? lib.tokenStore.fileStore() : lib.tokenStore.memoryStore(),
});
(async () => {
  const out = [];
  for (const call of calls) {
    const [resource, action, params] = JSON.parse(call);
    if (resource === 'revoke') { out.push((await sdk.revoke()).data); continue; }
    out.push((await sdk[resource][action](params)).data);
  }
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e.message, e.status, e.data); process.exit(1); });
"""


def javascript(
    sandbox: RunningSandbox, store: str, *calls: list[object]
) -> list[dict[str, object]]:
    done = subprocess.run(
        [
            "node", "-e", PROGRAM, str(MODULES / NAME), sandbox.base_url, sandbox.client_id,
            sandbox.client_secret, store, *map(json.dumps, calls),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_it_signs_in_calls_the_endpoints_and_revokes(flex_sandbox: RunningSandbox) -> None:
    marketplace, user, users, listings, revoked = javascript(
        flex_sandbox,
        "memory",
        ["marketplace", "show", {}],
        ["users", "show", {"email": "user3@example.com"}],
        ["users", "query", {"perPage": 3}],
        ["listings", "query", {"perPage": 100, "include": ["author"]}],
        ["revoke"],
    )
    assert marketplace["data"]["attributes"]["name"] == "Sandbox marketplace"  # type: ignore[index]  # JSON
    assert user["data"]["attributes"]["email"] == "user3@example.com"  # type: ignore[index]  # JSON
    # Keywords on the wire.
    assert user["data"]["type"] == "user"  # type: ignore[index]  # JSON
    assert user["data"]["attributes"]["state"] == "active"  # type: ignore[index]  # JSON
    allowed = user["data"]["attributes"]["permissions"]  # type: ignore[index]  # JSON
    assert set(allowed.values()) == {"permission/allow"}
    related = [each["relationships"]["author"]["data"]["type"] for each in listings["data"]]  # type: ignore[attr-defined]  # JSON
    assert set(related) == {"user"}
    assert len(users["data"]) == 3  # type: ignore[arg-type]  # JSON
    assert len(listings["data"]) == 100  # type: ignore[arg-type]  # JSON
    assert revoked == {"action": "revoked"}
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["revoke"]) == (1, 1)


ALL = """
const lib = require(process.argv[1]);
const fs = require('fs');
const [, , baseUrl, clientId, clientSecret, imagePath] = process.argv;
const sdk = lib.createInstance({ clientId, clientSecret, baseUrl });
const { UUID, Money, LatLng, LatLngBounds } = lib.types;
const called = {};
const call = async (name, ...args) => {
  const [resource, action] = name.split('.');
  const answer = await sdk[resource][action](...args);
  called[name] = answer.status;
  return answer.data.data;
};
const day = 24 * 3600 * 1000;
(async () => {
  const t0 = Date.UTC(2027, 0, 1);
  const expand = { expand: true };
  await call('marketplace.show');
  const users = await call('users.query', { perPage: 30 });
  const user = users.find(u => u.attributes.state === 'active' && u.attributes.emailVerified);
  const pending = users.find(u => u.attributes.state === 'pendingApproval');
  const unverified = users.find(u => u.attributes.pendingEmail);
  await call('users.show', { id: user.id });
  const profile = { id: user.id, bio: 'Hello', publicData: { a: 1 } };
  await call('users.updateProfile', profile, expand);
  await call('users.approve', { id: pending.id });
  await call('users.updatePermissions', { id: user.id, read: 'permission/allow' });
  await call('users.verifyEmail', { id: unverified.id, email: unverified.attributes.pendingEmail });
  const image = await call('images.upload', { image: imagePath });
  const listing = await call('listings.create', {
    title: 'JS', authorId: user.id, state: 'pendingApproval', images: [image.id],
    price: new Money(1500, 'EUR'), geolocation: new LatLng(60.1, 24.9),
    publicData: { deep: { list: [1, 2.5, null, true] } },
  }, expand);
  if (listing.attributes.price.amount !== 1500) throw new Error('price');
  await call('listings.approve', { id: listing.id });
  await call('listings.close', { id: listing.id });
  await call('listings.open', { id: listing.id });
  await call('listings.update', { id: listing.id, title: 'JS 2', price: null }, expand);
  await call('listings.show', { id: listing.id, include: ['author', 'images'] });
  const bounds = new LatLngBounds(new LatLng(61, 25), new LatLng(60, 24));
  await call('listings.query', { bounds, 'fields.listing': 'title', createdAtStart: new Date(0) });
  const stock = { listingId: listing.id, oldTotal: null, newTotal: 4 };
  await call('stock.compareAndSet', stock);
  await call('stockAdjustments.create', { listingId: listing.id, quantity: 2 });
  const span = { start: new Date(0), end: new Date(Date.now() + day) };
  const adjustments = await call('stockAdjustments.query', { listingId: listing.id, ...span });
  if (adjustments.length !== 2) throw new Error('adjustments');
  const free = { listingId: listing.id, start: new Date(t0), end: new Date(t0 + day) };
  const exception = await call('availabilityExceptions.create', { seats: 0, ...free });
  await call('availabilityExceptions.query', free);
  await call('availabilityExceptions.delete', { id: exception.id });
  const deals = await call('transactions.query', { states: ['preauthorized'] });
  const deal = deals[0];
  await call('transactions.show', { id: deal.id, include: ['booking', 'listing.author'] });
  const step = { id: deal.id, transition: 'transition/accept', params: {} };
  await call('transactions.transitionSpeculative', step, expand);
  await call('transactions.transition', step, expand);
  await call('transactions.updateMetadata', { id: deal.id, metadata: { b: 2 } });
  const asked = { hasStockReservation: true, include: ['stockReservation'] };
  const ordered = await call('transactions.query', asked);
  const reservation = ordered[0].relationships.stockReservation.data.id;
  await call('stockReservations.show', { id: reservation });
  await call('messages.query', { transactionId: deal.id });
  const bytes = Buffer.from('hello');
  const meta = { name: 'a.txt', mimeType: 'text/plain', size: bytes.length };
  const file = await call('files.create', meta, expand);
  const upload = await call('fileUploads.create', { fileId: file.id }, expand);
  const { url, method, headers } = upload.attributes;
  await lib.file.upload({ url, method, headers, file: bytes });
  for (let tries = 0; ; tries++) {
    const [found] = await call('files.query', { ids: [file.id] });
    if (found.attributes.state === 'available') break;
    if (found.attributes.state !== 'pendingVerification' || tries > 200) throw new Error('file');
    await new Promise(done => setTimeout(done, 100));
  }
  await call('fileDownloads.create', { fileId: file.id }, expand);
  await call('fileAttachments.query', {});
  const events = await call('events.query', { startAfterSequenceId: 0 });
  if (!events.length) throw new Error('events');
  await sdk.revoke();
  console.log(JSON.stringify(called));
})().catch(e => {
  console.error(e.message, e.status, JSON.stringify(e.data), Object.keys(called));
  process.exit(1);
});
"""


def test_it_calls_all_endpoints(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    image = tmp_path / "pixel.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1, 1) + bytes(5))
    arguments = [str(MODULES / NAME), flex_sandbox.base_url, flex_sandbox.client_id]
    done = subprocess.run(
        ["node", "-e", ALL, *arguments, flex_sandbox.client_secret, str(image)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    called = json.loads(done.stdout)
    missing = set(ENDPOINTS) - set(called)
    assert not missing, "call them in ALL, or leave out here those that the JavaScript SDK lacks"
    assert set(called) <= set(ENDPOINTS)
    assert set(called.values()) == {200}


@pytest.mark.skipif(sys.platform != "linux", reason="the JavaScript SDK's folder differs")
def test_one_file_for_both(flex_sandbox: RunningSandbox) -> None:
    show: list[object] = ["marketplace", "show", {}]
    javascript(flex_sandbox, "file", show)
    shared = {"name": "file", "share_with_js": True}
    with create_instance(
        flex_sandbox.client_id, base_url=flex_sandbox.base_url, token_store=shared
    ) as sdk:
        sdk.marketplace.show()
        flex_sandbox.expire()
        sdk.marketplace.show()
    javascript(flex_sandbox, "file", show)
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"]) == (1, 1)
