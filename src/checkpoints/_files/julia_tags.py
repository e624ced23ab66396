"""The bytes with which Julia's own serialization begins its items."""

from __future__ import annotations

from typing import Any

from checkpoints._files.julia_types import ANY, named

__all__ = ["CONSTANTS", "INT32_AT", "INT64_AT", "NUMBERS", "TYPES"]

_FIRST = """
Symbol Int8 UInt8 Int16 UInt16 Int32 UInt32 Int64 UInt64 Int128 UInt128 Float16 Float32
Float64 Char DataType Union UnionAll TypeName Tuple Array
"""
_SYMBOLS = """
Any Array TypeVar Box Tuple Ptr return call :: Function = == === gotoifnot A B C M N T S
X Y a b c d e f g h i j k l m n o p q r s t u v w x y z add_int sub_int mul_int
add_float sub_float new mul_float bitcast start done next indexed_iterate getfield meta
eq_int slt_int sle_int ne_int push_loc pop_loc pop arrayset arrayref apply_type inbounds
getindex setindex! Core ! + Base static_parameter convert colon #self# #temp# tuple
"""
_SYMBOLS_AT = 0x4F
# Small integers have a byte of their own.
INT32_AT, INT64_AT = 0xBE, 0xDF
_INTEGERS = 33

# Those that stand for a type, in front of which the reader has seen a zero.
TYPES = {
    **{tag: named(name) for tag, name in enumerate(_FIRST.split(), 1)},
    0x1C: named("TypeVar"),
    0x1F: named("Module"),
    0x21: named("String"),
    0x22: named("SimpleVector"),
    0x45: named("Bool"),
    0x46: ANY,
    0x47: named("Union"),
    0x48: named("TypeofBottom"),
    0x49: named("Type"),
    0x4B: named("Tuple"),
}
# Numbers of a size that the byte tells: the name of their type, and the size.
NUMBERS = {
    **{tag: (TYPES[tag].name, 2 ** ((tag - 2) // 2)) for tag in range(2, 12)},
    **{tag: (TYPES[tag].name, 2 ** (tag - 11)) for tag in range(12, 15)},
}
CONSTANTS: dict[int, Any] = {
    0x44: (),
    0x4C: False,
    0x4D: True,
    0x4E: None,
    **dict(enumerate([*_SYMBOLS.split(), ""], _SYMBOLS_AT)),
    **{INT64_AT + n: n for n in range(_INTEGERS)},
}
