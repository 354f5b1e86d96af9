"""OTLP on to other backends: requests go out as they came in."""
