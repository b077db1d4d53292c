"""Plain values across a process border as JSON; nothing that runs code when it is read.

``None``, booleans, numbers, texts, lists and dicts with text keys are themselves; all else is
``{"$": kind, ...}``. The same file is loaded on both sides, on the student's by path, so that it
imports the standard library only; NumPy and pandas are used where the value is theirs. What only
rare values need is imported for those: this file is loaded anew for each call of a student's.
"""

from __future__ import annotations

import binascii
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    import fractions
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    Fallback: TypeAlias = Callable[[Any], Any]

MAX_DEPTH = 60
_ARRAY_DTYPE = r"[<>|=][biufcUSMm]\d{1,6}(\[[a-zA-Z0-9]{1,8}\])?"
_FRACTION = r"-?[0-9]+(/[0-9]+)?"
_PANDAS_DTYPE = (
    r"category|string|boolean|U?Int(8|16|32|64)|Float(32|64)|datetime64\[\w+, [\w/+:-]+\]"
)


class NotPlain(ValueError):
    """A value cannot cross; ``args[0]`` says what kind it is."""


def load_rare() -> None:
    """Import now what rare values need: before files of the same names are in the way."""
    import datetime
    import decimal
    import fractions

    _ = datetime, decimal, fractions


def encode(value: Any, fallback: Fallback | None = None, depth: int = 0) -> Any:
    """Turn a value into what JSON can carry.

    Args:
        fallback: Called with what is not plain; gives its form, or raises :class:`NotPlain`.

    Raises:
        NotPlain: The value, or one inside it, is not plain and there is no fallback.
    """
    if depth > MAX_DEPTH:
        raise NotPlain(f"data nested more than {MAX_DEPTH} levels deep")

    def inner(item: Any) -> Any:
        return encode(item, fallback, depth + 1)

    kind = type(value)
    if value is None or kind in (bool, float, str):
        return value
    if kind is int:
        # Python refuses to write or read integers of more than 4300 digits in decimal.
        return value if value.bit_length() < 10_000 else {"$": "int", "v": hex(value)}
    if kind is list:
        return [inner(item) for item in value]
    if kind is dict:
        if all(type(key) is str for key in value) and "$" not in value:
            return {key: inner(item) for key, item in value.items()}
        return {"$": "dict", "v": [[inner(key), inner(item)] for key, item in value.items()]}
    if kind in (tuple, set, frozenset):
        return {"$": kind.__name__, "v": [inner(item) for item in value]}
    return _encode_rare(value, inner, fallback)


def _encode_rare(value: Any, inner: Fallback, fallback: Fallback | None) -> Any:
    kind = type(value)
    if kind in (bytes, bytearray):
        return {"$": "bytes", "v": _to_text(value)}
    if kind is complex:
        return {"$": "complex", "v": [value.real, value.imag]}
    if kind is range:
        return {"$": "range", "v": [value.start, value.stop, value.step]}
    if kind in _loaded("decimal", "Decimal") + _loaded("fractions", "Fraction"):
        return {"$": kind.__name__, "v": str(value)}
    if kind in _loaded("datetime", "datetime", "date", "time"):
        return {"$": kind.__name__, "v": value.isoformat()}
    if kind in _loaded("datetime", "timedelta"):
        return {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
    library = kind.__module__.split(".")[0]
    if library in {"numpy", "pandas"}:
        found = _encode_data(value, sys.modules.get("numpy"), sys.modules.get("pandas"), inner)
        if found is not None:
            return found
    if fallback is None:
        raise NotPlain(f"a value of type {kind.__name__}")
    return fallback(value)


def _loaded(module: str, *names: str) -> tuple[Any, ...]:
    """Give classes of a module; none where nothing has imported it, so that no value is one."""
    found = sys.modules.get(module)
    return tuple(kind for name in names if (kind := getattr(found, name, None)) is not None)


def _to_text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _from_text(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _encode_data(value: Any, numpy: Any, pandas: Any, inner: Fallback) -> Any:
    kind = type(value)
    if numpy is not None and isinstance(value, numpy.generic):
        return {"$": "scalar", "v": _encode_array(numpy.asarray(value), numpy, inner)}
    if kind is getattr(numpy, "ndarray", None):
        return _encode_array(value, numpy, inner)
    if pandas is None:
        return None
    if value is pandas.NA or value is pandas.NaT:
        return {"$": "missing", "v": "NA" if value is pandas.NA else "NaT"}
    if kind in (pandas.Timestamp, pandas.Timedelta):
        return {"$": kind.__name__, "v": value.isoformat()}
    if kind is pandas.DataFrame:
        columns = [_encode_column(value.iloc[:, place], inner) for place in range(value.shape[1])]
        return {
            "$": "DataFrame",
            "columns": _encode_index(value.columns, pandas, inner),
            "index": _encode_index(value.index, pandas, inner),
            "v": columns,
        }
    if kind is pandas.Series:
        index = _encode_index(value.index, pandas, inner)
        column = _encode_column(value, inner)
        return {"$": "Series", "name": inner(value.name), "index": index, "v": column}
    if isinstance(value, pandas.Index):
        return _encode_index(value, pandas, inner)
    return None


def _encode_array(value: Any, numpy: Any, inner: Fallback) -> Any:
    if re.fullmatch(_ARRAY_DTYPE, value.dtype.str):
        data = _to_text(numpy.ascontiguousarray(value).tobytes())
        return {"$": "array", "dtype": value.dtype.str, "shape": list(value.shape), "v": data}
    items = [inner(item) for item in value.ravel().tolist()]
    return {"$": "array", "dtype": "O", "shape": list(value.shape), "v": items}


def _encode_column(series: Any, inner: Fallback) -> Any:
    name = str(series.dtype)
    if re.fullmatch(_PANDAS_DTYPE, name):
        return {"dtype": name, "v": [inner(item) for item in series.tolist()]}
    return {"dtype": "", "v": inner(series.to_numpy())}


def _encode_index(index: Any, pandas: Any, inner: Fallback) -> Any:
    if type(index) is pandas.RangeIndex:
        ends = [index.start, index.stop, index.step]
        return {"$": "RangeIndex", "name": inner(index.name), "v": ends}
    names = [inner(name) for name in index.names]
    if isinstance(index, pandas.MultiIndex):
        return {"$": "MultiIndex", "names": names, "v": [inner(item) for item in index.tolist()]}
    return {"$": "Index", "names": names, "v": _encode_column(index.to_series(), inner)}


def decode(form: Any, special: Mapping[str, Fallback] | None = None) -> Any:
    """Turn what :func:`encode` made back into a value; anything else in it is refused.

    Args:
        special: Further kinds → what makes their value from the form.

    Raises:
        NotPlain: The form is none of :func:`encode`'s.
    """
    try:
        return _decode(form, special or {})
    except NotPlain:
        raise
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as exc:
        raise NotPlain("something that is not plain data") from exc
    except (ArithmeticError, ImportError, RecursionError, MemoryError) as exc:
        raise NotPlain("something that is not plain data") from exc


def _decode(form: Any, special: Mapping[str, Fallback]) -> Any:
    def inner(item: Any) -> Any:
        return _decode(item, special)

    if isinstance(form, list):
        return [inner(item) for item in form]
    if not isinstance(form, dict):
        return form
    if "$" not in form:
        return {key: inner(item) for key, item in form.items()}
    kind = form["$"]
    if kind in special:
        return special[kind](form)
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(form["v"], inner)
    return _decode_data(kind, form, inner)


def _timedelta(form: Any, _inner: Fallback) -> datetime.timedelta:
    import datetime

    days, seconds, microseconds = form
    return datetime.timedelta(days=days, seconds=seconds, microseconds=microseconds)


def _of_datetime(name: str) -> Callable[[Any, Fallback], Any]:
    def make(form: Any, _inner: Fallback) -> Any:
        import datetime

        return getattr(datetime, name).fromisoformat(form)

    return make


def _decimal(form: Any, _inner: Fallback) -> Any:
    import decimal

    return decimal.Decimal(form)


def _fraction(form: str, _inner: Fallback) -> fractions.Fraction:
    import fractions

    # "1e999999999" is a fraction too, which would be written out for hours.
    if not re.fullmatch(_FRACTION, form):
        raise NotPlain("something that is not plain data")
    return fractions.Fraction(form)


_MAKERS: dict[str, Callable[[Any, Fallback], Any]] = {
    "int": lambda v, _: int(v, 16),
    "dict": lambda v, inner: {inner(key): inner(item) for key, item in v},
    "tuple": lambda v, inner: tuple(inner(item) for item in v),
    "set": lambda v, inner: {inner(item) for item in v},
    "frozenset": lambda v, inner: frozenset(inner(item) for item in v),
    "bytes": lambda v, _: _from_text(v),
    "complex": lambda v, _: complex(float(v[0]), float(v[1])),
    "range": lambda v, _: range(*v),
    "Decimal": _decimal,
    "Fraction": _fraction,
    "datetime": _of_datetime("datetime"),
    "date": _of_datetime("date"),
    "time": _of_datetime("time"),
    "timedelta": _timedelta,
}


def _decode_data(kind: Any, form: dict[str, Any], inner: Fallback) -> Any:
    import numpy

    if kind == "array":
        return _decode_array(form, numpy, inner)
    if kind == "scalar":
        return _decode_array(form["v"], numpy, inner)[()]
    import pandas

    if kind == "missing":
        return pandas.NA if form["v"] == "NA" else pandas.NaT
    if kind == "Timestamp":
        return pandas.Timestamp(str(form["v"]))
    if kind == "Timedelta":
        return pandas.Timedelta(str(form["v"]))
    if kind == "RangeIndex":
        return pandas.RangeIndex(*form["v"], name=inner(form["name"]))
    if kind == "MultiIndex":
        names = [inner(name) for name in form["names"]]
        return pandas.MultiIndex.from_tuples([inner(item) for item in form["v"]], names=names)
    if kind == "Index":
        column = _decode_column(form["v"], pandas, inner)
        return pandas.Index(column, name=inner(form["names"][0]))
    if kind == "Series":
        column = _decode_column(form["v"], pandas, inner)
        return pandas.Series(column, index=inner(form["index"]), name=inner(form["name"]))
    if kind == "DataFrame":
        return _decode_frame(form, pandas, inner)
    raise NotPlain("something that is not plain data")


def _decode_array(form: dict[str, Any], numpy: Any, inner: Fallback) -> Any:
    shape = tuple(int(size) for size in form["shape"])
    if form["dtype"] == "O":
        items = [inner(item) for item in form["v"]]
        flat = numpy.empty(len(items), dtype=object)
        for place, item in enumerate(items):
            flat[place] = item
        return flat.reshape(shape)
    if not re.fullmatch(_ARRAY_DTYPE, form["dtype"]):
        raise NotPlain("something that is not plain data")
    data = _from_text(form["v"])
    return numpy.frombuffer(data, dtype=numpy.dtype(form["dtype"])).reshape(shape).copy()


def _decode_column(form: dict[str, Any], pandas: Any, inner: Fallback) -> Any:
    values = inner(form["v"])
    if not form["dtype"]:
        return values
    if not re.fullmatch(_PANDAS_DTYPE, form["dtype"]):
        raise NotPlain("something that is not plain data")
    return pandas.array(values, dtype=form["dtype"])


def _decode_frame(form: dict[str, Any], pandas: Any, inner: Fallback) -> Any:
    index = inner(form["index"])
    columns = [_decode_column(column, pandas, inner) for column in form["v"]]
    # By number first: two columns may have the same name.
    frame = pandas.DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = inner(form["columns"])
    return frame
