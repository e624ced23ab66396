"""What emitted scripts consist of: values as expressions, and lines of Python."""

from __future__ import annotations

import os
from typing import Any

from checkpoints._compare.tolerance import EXACT_BY_DTYPE
from checkpoints._process.libraries import imported

__all__ = [
    "CALL",
    "ENDED",
    "PLAIN_CALL",
    "RESTORE",
    "SAME",
    "TELL",
    "Data",
    "is_literal",
    "is_portable",
    "limits",
]

_LONGEST = 2000
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_DTYPES = ("float64", "float32", "float16", "complex128", "complex64")

# Registered first, so that it is printed last, after all threads and all that the
# function has registered.
TELL = """\
out, verdict = sys.stdout, "did not reproduce"
atexit.register(lambda: print(f"\\n{verdict}", file=out, flush=True))
"""
RESTORE = """\
if "random" in state:
    words = tuple(array("I", bytes.fromhex(state["random"]["words"])))
    random.setstate((state["random"]["version"], words, state["random"]["gauss"]))
if "numpy" in state:
    it = state["numpy"]
    words = np.frombuffer(bytes.fromhex(it["words"]), "uint32")
    np.random.set_state(
        ("MT19937", words, it["position"], it["has_gauss"], it["gauss"])
    )
"""
SAME = """

def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    form = getattr(one, "dtype", type(one)), getattr(one, "shape", ())
    if form != (getattr(other, "dtype", type(other)), getattr(other, "shape", ())):
        return False
    name = getattr(form[0], "name", type(one).__name__)
    if name not in limits:
        return as_bytes(one) == as_bytes(other)
    if hasattr(one, "astype"):
        wide = "complex128" if form[0].kind == "c" else "float64"
        one, other = one.astype(wide), other.astype(wide)
    # |c-b| <= atol + rtol*|b|, as in the replay
    rtol, atol = limits[name]
    distance, limit = abs(other - one), atol + rtol * abs(one)
    is_same = (distance <= limit) & (distance < float("inf"))
    is_same |= (one == other) | (one != one) & (other != other)
    return bool(getattr(is_same, "all", lambda: is_same)())


def as_bytes(value):
    return value.tobytes() if hasattr(value, "tobytes") else repr(value)
"""
ENDED = """

def ended(made):
    if inspect.isgenerator(made):
        while True:
            try:
                next(made)
            except StopIteration as end:
                return end.value
    return asyncio.run(made) if inspect.iscoroutine(made) else made

"""
PLAIN_CALL = "function(*args, **kwargs)"
CALL = """\
try:
    found = {"result": MADE}
except KeyboardInterrupt:
    raise
except BaseException as error:
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    found = {"type": name, "message": str(error)}

for name in sorted({*expected, *found}):
    print(name, "was", expected.get(name, "-"), "and is", found.get(name, "-"))
if expected.keys() != found.keys():
    code = 2
else:
    code = int(not all(same(expected[name], found[name]) for name in expected))
verdict = VERDICTS[code]
sys.exit(code)"""


class Data:
    """The values that a script uses, as expressions and files."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.count = 0

    def expression(self, value: Any) -> str:
        """Return an expression for a value, whose file is written if it needs one."""
        if is_literal(value):
            return repr(value)
        if isinstance(value, type):
            return (
                f"__import__({value.__module__!r}, fromlist=['']).{value.__qualname__}"
            )
        self.count += 1
        name = f"array_{self.count}.npy"
        imported("numpy").save(os.path.join(self._folder, name), value)
        scalar = "" if type(value).__name__ == "ndarray" else "[()]"
        return f"np.load(os.path.join(here, {name!r})){scalar}"


def limits() -> dict[str, tuple[float, float]]:
    """Return how far numbers may be apart, by their dtypes and by those of Python."""
    found = {it: EXACT_BY_DTYPE.bounds(it)[:2] for it in _DTYPES}
    return {**found, "float": found["float64"], "complex": found["complex128"]}


def is_portable(value: Any) -> bool:
    """Tell whether a script can have a value without this library."""
    return isinstance(value, type) or is_literal(value) or _is_array(value)


def _is_array(value: Any) -> bool:
    """Tell whether a value is an array or a number of NumPy that is saved exactly."""
    cls = type(value)
    if cls.__module__ != "numpy" or not hasattr(value, "dtype"):
        return False
    is_exact = value.dtype.kind in "biufcSUmM" and value.dtype.char not in "gG"
    return is_exact and (cls.__name__ == "ndarray" or cls is value.dtype.type)


def is_literal(value: Any, depth: int = 0) -> bool:
    """Tell whether the repr of a value is an expression for it, and short."""
    if type(value) in (list, tuple):
        parts = list(value)
    elif type(value) is dict:
        parts = [*value.keys(), *value.values()]
    else:
        is_number = type(value) in (float, complex)
        # The repr of infinity and NaN is no literal.
        is_finite = not is_number or repr(value).strip("()+-")[:3] not in ("inf", "nan")
        return type(value) in _PLAIN and is_finite and len(repr(value)) <= _LONGEST
    deepest = 5
    return (
        depth < deepest
        and all(is_literal(part, depth + 1) for part in parts)
        and len(repr(value)) <= _LONGEST
    )
