"""The collector: OTLP in, histograms for Prometheus out."""
