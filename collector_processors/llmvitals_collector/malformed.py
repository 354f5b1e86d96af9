"""The one way in which decoding fails."""


class MalformedError(ValueError):
    """A request body that is not what it should be; nothing of it is counted."""
