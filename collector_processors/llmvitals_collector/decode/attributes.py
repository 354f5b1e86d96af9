"""Attributes of OTLP messages, read as columns."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from llmvitals import semconv
from llmvitals_collector.columns import Columns, Kind

# The fields of an AnyValue that a column of each kind takes; a value of any other type counts as absent.
_FIELDS = {
    Kind.TEXT: frozenset({"string_value"}),
    Kind.MEMBER: frozenset({"string_value"}),
    Kind.FLAG: frozenset({"bool_value"}),
    Kind.NUMBER: frozenset({"int_value", "double_value"}),
    Kind.AMOUNT: frozenset({"int_value", "double_value"}),
}
# Attribute key -> the fields in which its value may stand.
Wanted: TypeAlias = Mapping[str, frozenset[str]]

_SERVICE: Wanted = {semconv.SERVICE_NAME: _FIELDS[Kind.TEXT]}


def wanted(names: Mapping[str, str], record: type[Columns]) -> Wanted:
    """What to read for a table of attribute key to column name."""
    kinds = {column.name: column.kind for column in record.decoded}
    return {key: _FIELDS[kinds[name]] for key, name in names.items()}


def read(attributes: Iterable[KeyValue], wanted: Wanted) -> dict[str, Any]:
    """The values of the attributes that are wanted, by key."""
    values = {}
    for attribute in attributes:
        fields = wanted.get(attribute.key)
        if fields:
            value = attribute.value
            field = value.WhichOneof("value")
            if field in fields:
                values[attribute.key] = getattr(value, field)
    return values


def row(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The values of one record by column name; of two keys for one column the first in `names` counts."""
    columns: dict[str, Any] = {}
    for key, name in names.items():
        if key in values:
            columns.setdefault(name, values[key])
    return columns


def service(resource: Resource) -> str:
    """The name of the service that a batch comes from."""
    return read(resource.attributes, _SERVICE).get(semconv.SERVICE_NAME) or semconv.UNKNOWN_SERVICE
