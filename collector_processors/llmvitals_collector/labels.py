"""Label sets, interned: each has a row of its own, as long as there is room."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.columns import Columns

OVERFLOW_ROW = 0
# Label values come from outside; longer ones are cut.
VALUE_CHARACTERS = 200


class LabelSets:
    """The label sets seen so far over one tuple of label names, at most `limit` of them.

    Row 0 stands for all that came after the limit was reached. A label set keeps its row for good.
    """

    def __init__(self, names: tuple[str, ...], limit: int) -> None:
        self.names = names
        self.limit = limit
        self.values: list[tuple[str, ...]] = [(semconv.OVERFLOW,) * len(names)]
        self._rows: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        """How many label sets are held, the overflow row not counted."""
        return len(self._rows)

    def row(self, values: Iterable[str]) -> int:
        """The row of a label set, which it is given now if it is new and there is room."""
        label_set = tuple(value[:VALUE_CHARACTERS] for value in values)
        row = self._rows.get(label_set)
        if row is not None:
            return row
        if len(self._rows) >= self.limit:
            return OVERFLOW_ROW
        self.values.append(label_set)
        self._rows[label_set] = len(self._rows) + 1
        return len(self._rows)

    def rows(self, batch: Columns, columns: Mapping[str, str]) -> NDArray[np.intp]:
        """The row of each record of a batch; `columns` gives the TEXT column of each label name.

        Shape: (len(batch),).
        """
        codes = np.stack([batch[columns[name]] for name in self.names], axis=1)
        distinct, which = np.unique(codes, axis=0, return_inverse=True)
        rows = [self.row(batch.strings[code] for code in label_set) for label_set in distinct.tolist()]
        return np.array(rows, np.intp)[which.reshape(-1)]
