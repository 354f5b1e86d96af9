"""Every attribute, event, metric, label, bucket and enum name of both halves, and nothing else."""

# The one module for all of them: what it consists of is a matter of length.
from llmvitals.semconv.attributes import *
from llmvitals.semconv.collector_metrics import *
from llmvitals.semconv.metrics import *
from llmvitals.semconv.quality import *
from llmvitals.semconv.recorded import *
from llmvitals.semconv.values import *
