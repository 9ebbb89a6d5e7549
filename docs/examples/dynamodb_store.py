"""A token store in Amazon DynamoDB, with compare-and-set and a lease lock.

The table has a partition key ``id`` of the type string; nothing else is asked of it.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from typing import Any

from botocore import exceptions as aws
from botocore.config import Config
from botocore.loaders import create_loader
from botocore.session import Session

from flex_tokenstore import Secret
from flex_tokenstore.records import Kind, Problem, Record, RecordStore, doc

# botocore logs the body of each request at DEBUG, tokens and all.
logging.getLogger("botocore").setLevel(logging.INFO)
LOADER = create_loader()  # what is known of AWS: reading it for each client would take 0.1 s
CREDENTIALS = "AWS does not accept the credentials: check the access key, and when it expires"
OVERLOADED = "it is overloaded: raise the capacity of the table, or ask AWS for a higher quota"
PROBLEMS = {
    "AccessDeniedException": (
        Kind.DENIED,
        "grant dynamodb:GetItem, PutItem and DeleteItem on the table to this user or role",
    ),
    "ResourceNotFoundException": (
        Kind.UNAVAILABLE,
        "there is no such table: create it with a partition key 'id' of type S, or correct the "
        "options table and region",
    ),
    "ValidationException": (
        Kind.UNAVAILABLE,
        "it cannot keep this item: the table must have a partition key 'id' of type S and no sort "
        "key, and an item has at most 400 KB",
    ),
    "UnrecognizedClientException": (Kind.UNAVAILABLE, CREDENTIALS),
    "InvalidSignatureException": (Kind.UNAVAILABLE, CREDENTIALS),
    "ExpiredTokenException": (Kind.UNAVAILABLE, CREDENTIALS),
    "ThrottlingException": (Kind.BUSY, OVERLOADED),
    "RequestLimitExceeded": (Kind.BUSY, OVERLOADED),
    "ProvisionedThroughputExceededException": (Kind.BUSY, OVERLOADED),
    "InternalServerError": (Kind.LOST, "it has an error of its own: try again"),
    "ServiceUnavailable": (Kind.BUSY, "it is not available: try again"),
}


class DynamoDbStore(RecordStore):
    """Keeps the token in a table of DynamoDB, for all hosts that reach it."""

    store = "dynamodb"
    record = "item"
    idle = 60.0  # seconds; a new client costs 15 ms, and botocore notices what AWS has closed
    options: Options

    @dataclass(kw_only=True)
    class Options:
        table: str = field(default="flex-tokens", metadata=doc("name of the table"))
        prefix: str = field(default="", metadata=doc("put before each item's id"))
        region: str | None = field(default=None, metadata=doc("by default AWS_DEFAULT_REGION"))
        endpoint: str | None = field(default=None, metadata=doc("another address than AWS's"))
        timeout: float = field(default=5.0, metadata=doc("seconds to wait for a response"))

    def key_of(self, identity: Any) -> str:
        return f"{self.options.prefix}{identity.key}"

    def locate(self, key: str) -> str:
        where = self.options.endpoint or self.options.region or "the default region"
        return f"{where} table {self.options.table} item {key}"

    def connect(self) -> Any:
        # The base repeats what may be repeated, so botocore does not.
        config = Config(
            connect_timeout=self.options.timeout,
            read_timeout=self.options.timeout,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
        )
        session = Session()  # a new one: it may not be shared by threads, as the client is
        session.register_component("data_loader", LOADER)
        where = {"region_name": self.options.region, "endpoint_url": self.options.endpoint}
        return session.create_client("dynamodb", config=config, **where)

    def disconnect(self, client: Any) -> None:
        client.close()

    def read(self, client: Any, key: str) -> Record | None:
        answer = client.get_item(**self._item(key), ConsistentRead=True)
        return record_of(answer.get("Item"))

    def write(self, client: Any, key: str, data: Secret[bytes], version: Any) -> Any:
        new = {"S": secrets.token_hex(8)}  # never one that was there before
        client.put_item(
            TableName=self.options.table,
            Item={"id": {"S": key}, "version": new, "data": {"B": data.reveal()}},
            **only_if(version),
        )
        return new

    def delete(self, client: Any, key: str, version: Any) -> None:
        client.delete_item(**self._item(key), **only_if(version))

    def describe(self, error: Exception) -> Problem | None:
        if isinstance(error, aws.ClientError):
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                return Problem(Kind.CHANGED, found=record_of(error.response.get("Item")))
            kind, text = PROBLEMS.get(code, (Kind.UNAVAILABLE, f"it refused the request ({code})"))
            return Problem(kind, text)
        if isinstance(error, (aws.ConnectTimeoutError, aws.ReadTimeoutError)):
            return Problem(Kind.SILENT, "it did not respond in time: check the network")
        if isinstance(error, aws.SSLError):
            return Problem(Kind.UNAVAILABLE, "its certificate is not trusted: set AWS_CA_BUNDLE")
        if isinstance(error, (aws.ConnectionError, aws.HTTPClientError)):
            return Problem(Kind.LOST, "it cannot be reached: check region and endpoint")
        if isinstance(error, aws.NoRegionError):
            return Problem(Kind.UNAVAILABLE, "set the option region, or AWS_DEFAULT_REGION")
        if isinstance(error, aws.BotoCoreError):  # of the many ways to set them
            return Problem(Kind.UNAVAILABLE, f"set AWS credentials: {type(error).__name__}")
        return None

    def _item(self, key: str) -> dict[str, Any]:
        return {"TableName": self.options.table, "Key": {"id": {"S": key}}}


def only_if(version: Any) -> dict[str, Any]:
    """The condition that this version is stored; None: nothing is."""
    only: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
    if version:
        only = {"ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": version}}
    elif version is not None:  # another program's item has none
        only = {"ConditionExpression": "attribute_exists(id) AND attribute_not_exists(version)"}
    return {"ReturnValuesOnConditionCheckFailure": "ALL_OLD", **only}


def record_of(item: Any) -> Record | None:
    """What an item holds; of one that another program wrote, whatever there is."""
    if item is None:
        return None
    version = item.get("version", {})
    if "B" in item.get("data", {}):
        return Record(Secret(item["data"]["B"]), version)
    return Record(Secret(repr(item).encode()), version, problem="it has no binary attribute data")
