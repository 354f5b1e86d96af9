"""The catalogue: what is measured, who owns it, and what it has to be."""
