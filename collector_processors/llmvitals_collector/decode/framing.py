"""Whether requests in protobuf may be put one behind the other, and read as one: repeated fields add up.

https://protobuf.dev/programming-guides/encoding/#last-one-wins
"""

# The tag of the one field that a request has: resource_spans, or resource_logs.
_TAG = 1 << 3 | 2


def is_whole(body: bytes) -> bool:
    """Whether a request ends where its bytes end, so that what stands behind them is none of it.

    False where it has other fields, as it then takes the walker to tell.
    """
    at, end = 0, len(body)
    while at < end:
        if body[at] != _TAG:
            return False
        length = shift = 0
        more = True
        while more:
            at += 1
            if at == end:
                return False
            more = body[at] >= 0x80
            length |= (body[at] & 0x7F) << shift
            shift += 7
        at += 1 + length
    return at == end
