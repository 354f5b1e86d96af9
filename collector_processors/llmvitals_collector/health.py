"""Whether the collector takes data at the moment, and if not, why."""


class Health:
    """What keeps the collector from taking data, by the part that it happened to; at first, that it has not started."""

    def __init__(self) -> None:
        self._problems = {"collector": "the collector is starting"}

    def report(self, part: str, problem: str | None) -> None:
        """Say in a sentence what is wrong with a part, or None: nothing is, any more."""
        # A new mapping, since others read the old one meanwhile.
        others = {name: told for name, told in self._problems.items() if name != part}
        self._problems = {**others, part: problem} if problem else others

    @property
    def problem(self) -> str | None:
        """What is wrong; None while the collector takes data."""
        return "; ".join(self._problems.values()) or None
