"""A token store in Amazon DynamoDB, with compare-and-set and a lease lock.

The table has a partition key ``id`` of the type string; nothing else is asked of it.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore import exceptions as aws
from botocore.config import Config

from flex_tokenstore import Secret
from flex_tokenstore.records import Kind, Problem, Record, RecordStore, doc

# botocore logs the body of each request at DEBUG, tokens and all.
logging.getLogger("botocore").setLevel(logging.INFO)

CREDENTIALS = "AWS does not accept the credentials: check the access key, and when it expires"
PROBLEMS = {
    "AccessDeniedException": (
        Kind.DENIED,
        "grant dynamodb:GetItem, PutItem and DeleteItem on the table to this role",
    ),
    "ResourceNotFoundException": (
        Kind.UNAVAILABLE,
        "there is no such table: create it with a partition key 'id' of type S, or correct table",
    ),
    "ValidationException": (
        Kind.UNAVAILABLE,
        "the table is not made for this store: its partition key must be 'id', of type S",
    ),
    "UnrecognizedClientException": (Kind.UNAVAILABLE, CREDENTIALS),
    "InvalidSignatureException": (Kind.UNAVAILABLE, CREDENTIALS),
    "ExpiredTokenException": (Kind.UNAVAILABLE, CREDENTIALS),
    "ThrottlingException": (Kind.BUSY, "it is overloaded: raise the capacity of the table"),
    "RequestLimitExceeded": (Kind.BUSY, "it is overloaded: ask AWS for a higher quota"),
    "ProvisionedThroughputExceededException": (
        Kind.BUSY,
        "it is overloaded: raise the capacity of the table",
    ),
    "InternalServerError": (Kind.BUSY, "it has an error of its own: try again"),
    "ServiceUnavailable": (Kind.BUSY, "it is not available: try again"),
}


class DynamoDbStore(RecordStore):
    """Keeps the token in a table of DynamoDB, for all hosts that reach it."""

    store = "dynamodb"
    record = "item"
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
        )
        session = boto3.Session(region_name=self.options.region)
        return session.client("dynamodb", endpoint_url=self.options.endpoint, config=config)

    def disconnect(self, client: Any) -> None:
        client.close()

    def read(self, client: Any, key: str) -> Record | None:
        answer = client.get_item(**self._item(key), ConsistentRead=True)
        return record_of(answer.get("Item"))

    def write(self, client: Any, key: str, data: Secret[bytes], version: Any) -> str:
        new = secrets.token_hex(8)
        item = {"id": {"S": key}, "version": {"S": new}}
        client.put_item(
            TableName=self.options.table,
            Item={**item, "data": {"B": data.reveal()}},
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
        if isinstance(error, (aws.HTTPClientError, aws.ConnectionClosedError)):
            return Problem(Kind.LOST, "it cannot be reached: check region and endpoint")
        if isinstance(error, aws.NoCredentialsError):
            return Problem(Kind.UNAVAILABLE, "there are no AWS credentials: set them")
        if isinstance(error, aws.NoRegionError):
            return Problem(Kind.UNAVAILABLE, "set the option region, or AWS_DEFAULT_REGION")
        return None

    def _item(self, key: str) -> dict[str, Any]:
        return {"TableName": self.options.table, "Key": {"id": {"S": key}}}


def only_if(version: Any) -> dict[str, Any]:
    """The condition that this version is stored; None: nothing is."""
    found: dict[str, Any] = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if version is None:
        return {**found, "ConditionExpression": "attribute_not_exists(id)"}
    names = {"ExpressionAttributeNames": {"#v": "version"}}
    values = {"ExpressionAttributeValues": {":v": {"S": version}}}
    return {**found, **names, **values, "ConditionExpression": "#v = :v"}


def record_of(item: Any) -> Record | None:
    """What an item holds; of one that another program wrote, whatever there is."""
    if item is None:
        return None
    version = item.get("version", {}).get("S", "")
    if "B" in item.get("data", {}):
        return Record(Secret(item["data"]["B"]), version)
    return Record(Secret(repr(item).encode()), version, problem="it has no binary attribute data")
