"""Undoing the compression of a request, piece by piece, so that a small one that inflates without end is stopped."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias, cast

# Half the time of zlib's, which matters: inflating costs more than decoding.
from isal import isal_zlib
from isal.igzip_lib import IsalError

from llmvitals import semconv
from llmvitals_collector.receivers import RefusedError
from llmvitals_collector.receivers.admission import Lease, SizeLimit

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 1 << 20
# An encoder for HTTP may not ask for a larger window. https://www.rfc-editor.org/rfc/rfc9659#section-3
_ZSTD_OPTIONS: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 23}

# Something with zlib's `decompress(data, max_length)`, `eof` and `unused_data`.
_Inflater: TypeAlias = Any
# By the name that HTTP gives them. https://www.rfc-editor.org/rfc/rfc9110#name-content-codings
_INFLATERS: Mapping[str, Callable[[], _Inflater]] = {
    "gzip": partial(isal_zlib.decompressobj, 31),
    "deflate": partial(isal_zlib.decompressobj, 15),
    "zstd": partial(zstd.ZstdDecompressor, options=_ZSTD_OPTIONS),
}
CODINGS = tuple(_INFLATERS)
# isal (1.9) annotates its class of errors as one of them.
_ERRORS: tuple[type[Exception], ...] = (cast(type[Exception], IsalError), zstd.ZstdError)


def inflated(body: bytes, coding: str, limit: SizeLimit, lease: Lease) -> bytes:
    """Undo the compression of a body; what comes out is held by the lease as it comes.

    Args:
        body: one gzip member, zlib stream or Zstandard frame, and nothing behind it.
        coding: one of CODINGS.
        limit: on what comes out.
        lease: the request's.

    Raises:
        RefusedError: more comes out than may, or than fits now, or the body is not so compressed.
    """
    pieces, size = [], 0
    inflater = _INFLATERS[coding]()
    try:
        for piece in _pieces(inflater, body, limit.bytes + 1):
            size += len(piece)
            limit.check(size)
            lease.grow(len(piece))
            pieces.append(piece)
    except _ERRORS as error:
        raise RefusedError(semconv.MALFORMED, f"the body is not {coding}") from error
    if not inflater.eof or inflater.unused_data:
        raise RefusedError(semconv.MALFORMED, f"the body is not {coding}")
    return b"".join(pieces)


def _pieces(inflater: _Inflater, data: bytes, limit: int) -> Iterator[bytes]:
    while not inflater.eof and (piece := inflater.decompress(data, min(_PIECE, limit))):
        yield piece
        # What zlib did not get to comes again; Zstandard keeps it.
        data = getattr(inflater, "unconsumed_tail", b"")
