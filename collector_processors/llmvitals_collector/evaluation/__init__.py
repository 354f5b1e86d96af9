"""Evaluation beside the ingest: heuristics and judges on the content of calls that came in."""
