"""Whether an answer that is to be JSON is JSON, and conforms to its schema."""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict

_FENCED = re.compile(r"```[\w-]{0,16}[ \t]*\n(.*)\n[ \t]*```", re.DOTALL)
_KEPT_VALIDATORS = 64


def format_valid(exchange: Exchange) -> Verdict | None:
    """Applies where the request asks for JSON, or the prompt declares a schema.

    A Markdown fence around the whole of it is no fault: models put one, and whoever reads the answer removes it.
    detail: `syntax`, `schema`, `schema_unusable` where the schema itself is not one, `schema_unchecked` without
    jsonschema-rs, or `too_large`.
    """
    schema = exchange.instructions.json_schema
    if schema is None and not exchange.json:
        return None
    if not exchange.answer.strip() and exchange.tool_calls:
        return None
    if exchange.partial:
        return Verdict(semconv.UNDECIDED)
    try:
        value = json.loads(_unfenced(exchange.answer.strip()), parse_constant=_no_constant)
    except json.JSONDecodeError:
        return Verdict(semconv.FAIL, 0.0, "syntax")
    except (ValueError, RecursionError):  # a number of over 4,300 digits, or brackets as deep as Python's stack
        return Verdict(semconv.UNDECIDED, detail="too_large")
    return Verdict(semconv.PASS, 1.0) if schema is None else _conforming(value, schema)


def _unfenced(text: str) -> str:
    fenced = _FENCED.fullmatch(text) if text.startswith("```") else None
    return fenced[1] if fenced else text


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)  # RFC 8259, section 6: neither NaN nor Infinity


def _conforming(value: Any, schema: Any) -> Verdict:
    try:
        is_valid = _validator(schema)
    except ImportError:
        return Verdict(semconv.UNDECIDED, detail="schema_unchecked")
    except ValueError:
        return Verdict(semconv.FAILED_EVALUATION, detail="schema_unusable")
    return Verdict(semconv.PASS, 1.0) if is_valid(value) else Verdict(semconv.FAIL, 0.0, "schema")


_validators: dict[int, tuple[Any, Callable[[Any], bool]]] = {}  # with the schema, so that its id stays its own


def _validator(schema: Any) -> Callable[[Any], bool]:
    """The compiled schema. ImportError without jsonschema-rs; ValueError where it is no schema."""
    known = _validators.get(id(schema))
    if known is None:
        import jsonschema_rs

        if len(_validators) >= _KEPT_VALIDATORS:
            _validators.clear()
        validator = jsonschema_rs.validator_for(schema, retriever=_not_fetched)
        known = _validators[id(schema)] = (schema, validator.is_valid)
    return known[1]


def _not_fetched(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched: a check makes no requests")


EVALUATOR = Evaluator("format_valid", format_valid, dimension="format_valid", mode="invalid_format")
