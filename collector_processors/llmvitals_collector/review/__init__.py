"""People's grades: a sample of the judged answers goes out as a sheet, and comes back as results."""

from llmvitals_collector.review.item import TAIL, UNIFORM, Item
from llmvitals_collector.review.store import ReviewStore

__all__ = ["TAIL", "UNIFORM", "Item", "ReviewStore"]
