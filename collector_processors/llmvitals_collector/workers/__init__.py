"""`llmvitals collect --workers N`: N processes receive, inflate and decode, and the one that starts them counts.

Every worker listens on the same addresses, and the kernel gives each a part of the connections. What goes to the
process that counts is the entry that its journal gets, so everything that must be in one place is: what tells
repetitions apart, the journal, the counters, the judge, /metrics.
"""
