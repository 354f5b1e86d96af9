"""OTLP metrics to whoever cannot scrape: the series of /metrics, at regular intervals."""
