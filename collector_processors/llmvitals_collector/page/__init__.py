"""The page at `/` of the metrics port: what there is to see before anybody has a Grafana."""
