"""Numbers as people read them, in the units that the boards use, by Grafana's names of them."""

import math
import time

_SECONDS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
_THOUSANDS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_BYTES = ((1 << 40, " TiB"), (1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB"))
_IN_SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "m": 60.0, "h": 3600.0, "d": 86400.0, "dtdurations": 1.0}
_PER_SECOND = {"cps": " c/s", "ops": " ops/s", "reqps": " req/s", "wps": " wr/s", "rps": " rd/s"}
_PLAIN = {"", "none", "short", "locale", "string", "number"}


def known(unit: str) -> bool:
    """Whether `shown` can show this unit."""
    special = {"percentunit", "percent", "bytes", "decbytes", "bool_yes_no", "bool_on_off", "bool"}
    return unit in _PLAIN | special | _IN_SECONDS.keys() | _PER_SECOND.keys() or unit.startswith(
        ("suffix:", "prefix:", "currency", "dateTime")
    )


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """A value with its unit; a value that is none is a dash."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit in ("percentunit", "percent"):
        return f"{_rounded(value * (100 if unit == 'percentunit' else 1), decimals, least=1)} %"
    if unit in _IN_SECONDS:
        return _scaled(value * _IN_SECONDS[unit], _SECONDS, " ", decimals) if value else "0 s"
    if unit in ("bytes", "decbytes"):
        return _scaled(value, _BYTES, "", decimals)
    if unit.startswith("dateTime"):
        # Grafana's dates are in milliseconds.
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(value / 1000))
    if unit.startswith("bool"):
        return "yes" if value else "no"
    number = _scaled(value, _THOUSANDS, "", decimals)
    if unit.startswith("currency"):
        return ("-" if value < 0 else "") + f"${number.removeprefix('-')}"
    if unit.startswith("prefix:"):
        return unit.removeprefix("prefix:") + number
    return number + _PER_SECOND.get(unit, unit.removeprefix("suffix:") if unit.startswith("suffix:") else "")


def _scaled(value: float, scales: tuple[tuple[float, str], ...], gap: str, decimals: int | None) -> str:
    for least, name in scales:
        if abs(value) >= least * 0.9995:
            return f"{_rounded(value / least, decimals)}{gap}{name}"
    least, name = scales[-1]
    return f"{_rounded(value / least, decimals)}{gap}{name}" if least < 1 else _rounded(value, decimals)


def _rounded(value: float, decimals: int | None, least: int = 0) -> str:
    """Three digits, or as many decimals as are asked for; whole numbers stay whole."""
    if decimals is None:
        magnitude = math.floor(math.log10(abs(value))) if value else 0
        decimals = max(2 - magnitude, least)
        text = f"{value:.{min(decimals, 6)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{decimals}f}"
