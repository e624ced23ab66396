"""PyTorch and JAX: tensors and arrays as .npy, with dtypes that NumPy does not have."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.columns import Statistics
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._kinds.npy import decode_array, encode_array, weight_of_array
from checkpoints._kinds.numpy import holds_nan
from checkpoints._process.libraries import imported, needed

__all__ = ["JAX", "TORCH", "recognise"]

# In bytes; NumPy does not have PyTorch's bfloat16 and float8.
_HALF = 2
# What counts besides the array; where a tensor lies does not.
_COUNTS = ("torch_dtype", "jax_dtype", "requires_grad")
_RAW_NAMES = {"u1": "uint8", "i2": "int16", "i4": "int32"}
_TORCH_DTYPES = {
    "bool": "b1",
    "uint8": "u1",
    "int8": "i1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "int64": "i8",
    "uint64": "u8",
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
    "complex64": "c8",
    "complex128": "c16",
}
# NumPy does not have these dtypes: they are saved as integers of the same width.
_TORCH_RAW = {
    "bfloat16": "i2",
    "complex32": "i4",
    "float8_e4m3fn": "u1",
    "float8_e4m3fnuz": "u1",
    "float8_e5m2": "u1",
    "float8_e5m2fnuz": "u1",
    "float8_e8m0fnu": "u1",
}
_JAX_RAW = {
    "bfloat16": "u2",
    "float8_e3m4": "u1",
    "float8_e4m3": "u1",
    "float8_e4m3b11fnuz": "u1",
    "float8_e4m3fn": "u1",
    "float8_e4m3fnuz": "u1",
    "float8_e5m2": "u1",
    "float8_e5m2fnuz": "u1",
    "float8_e8m0fnu": "u1",
    "int4": "u1",
    "uint4": "u1",
}


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of PyTorch or JAX.

    Returns:
        The format; None if values of the class are pickled.

    Example:
        >>> recognise(int) is None
        True
    """
    if cls.__module__.partition(".")[0] in JAX.packages:
        return _JAX_ARRAY if cls.__name__ == "ArrayImpl" else None
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if cls is torch.Tensor:
        return _TENSOR
    return _PARAMETER if cls is torch.nn.Parameter else None


def _import_torch() -> Any:
    return needed("torch", "loading a tensor")


def _check_tensor(tensor: Any) -> None:
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested:
        raise Inexact("a sparse, quantized or nested tensor cannot be saved as .npy")
    if tensor.is_meta:
        raise Inexact("a tensor on the meta device has no data")
    # Only some versions of PyTorch have named dimensions.
    if vars(tensor) or any(getattr(tensor, "names", ())):
        raise Inexact("the tensor has named dimensions or extra attributes")


def _encode_tensor(tensor: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import torch

    _check_tensor(tensor)
    name = str(tensor.dtype).removeprefix("torch.")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if name in _TORCH_RAW:
        plain = plain.view(getattr(torch, _RAW_NAMES[_TORCH_RAW[name]]))
    elif name not in _TORCH_DTYPES:
        raise Inexact(f"NumPy has no equivalent of the dtype {tensor.dtype}")
    try:
        buffers, meta = encode_array(plain.numpy())
    except RuntimeError as error:
        message = f"{error}: pip install numpy"
        raise Inexact(message) from error
    notes = {
        "torch_dtype": name,
        "device": str(tensor.device),
        "requires_grad": tensor.requires_grad,
    }
    return buffers, {**meta, **notes}


def _decode_tensor(data: memoryview, meta: Mapping[str, Any]) -> Any:
    torch = _import_torch()
    name = meta["torch_dtype"]
    array = decode_array(data, meta)
    if meta["dtype"][1:] != {**_TORCH_DTYPES, **_TORCH_RAW}[name]:
        raise ValueError(f"a tensor of {name} is not saved as {meta['dtype']}")
    # PyTorch does not support read-only memory and would write to it.
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy("K"))
    if name in _TORCH_RAW:
        tensor = tensor.view(getattr(torch, name))
    return tensor.requires_grad_(meta["requires_grad"])


def _weight(data: memoryview, meta: Mapping[str, Any]) -> int:
    """Return the memory of the copy that is made where an array cannot be shared."""
    return weight_of_array(data, meta) + (len(data) if _is_copied(data, meta) else 0)


def _is_copied(data: memoryview, meta: Mapping[str, Any]) -> bool:
    return data.readonly or bool(meta.get("repeated")) or "torch_dtype" not in meta


def _decode_parameter(data: memoryview, meta: Mapping[str, Any]) -> Any:
    tensor = _decode_tensor(data, {**meta, "requires_grad": False})
    parameter = _import_torch().nn.Parameter
    return parameter(tensor, requires_grad=meta["requires_grad"])


def _freeze_tensor(tensor: Any) -> Any:
    if vars(tensor):
        return _pickled_copy(tensor)
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)


def _pickled_copy(tensor: Any) -> Any:
    """Copy a tensor with attributes, which PyTorch's other ways of copying drop."""
    return pickle.loads(pickle.dumps(tensor))  # noqa: S301 - made here


def _freeze_parameter(parameter: Any) -> Any:
    if vars(parameter):
        return _pickled_copy(parameter)
    copied = parameter.detach().clone()
    return type(parameter)(copied, requires_grad=parameter.requires_grad)


def _change_of_tensor(tensor: Any) -> str:
    changes = []
    if not tensor.is_leaf:
        changes.append("how it was computed")
    elif tensor.grad is not None:
        changes.append("its gradient")
    if tensor.device.type != "cpu":
        changes.append(f"that it was on {tensor.device}")
    return f"it will be loaded without {' and '.join(changes)}" if changes else ""


def _encode_jax(array: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import numpy

    if array.weak_type:
        raise Inexact("the array has a weak type, which .npy cannot record")
    try:
        plain = numpy.asarray(array)
    except (TypeError, RuntimeError) as error:
        raise Inexact(f"the array cannot be read here: {error}") from error
    notes = {"device": ", ".join(sorted(map(str, array.devices())))}
    name = str(plain.dtype)
    if name in _JAX_RAW:
        plain = plain.view(_JAX_RAW[name])
        notes["jax_dtype"] = name
    buffers, meta = encode_array(plain)
    return buffers, {**meta, **notes}


def _decode_jax(data: memoryview, meta: Mapping[str, Any]) -> Any:
    jax = needed("jax", "loading a JAX array")
    array = decode_array(data, meta)
    name = meta.get("jax_dtype")
    if name is not None:
        if meta["dtype"][1:] != _JAX_RAW[name]:
            raise ValueError(f"an array of {name} is not saved as {meta['dtype']}")
        array = array.view(getattr(jax.numpy, name).dtype)
    with _with_64_bits(jax), jax.default_device(jax.devices("cpu")[0]):
        return jax.numpy.array(array)


def _with_64_bits(jax: Any) -> Any:
    """Return the context in which JAX does not narrow 64-bit numbers to 32 bits."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)  # noqa: FBT003 - the argument is positional-only
    return imported("jax.experimental").enable_x64()


def _freeze_jax(array: Any) -> Any:
    """Return the array itself, which is immutable."""
    return array


def _tensor_holds_nan(tensor: Any) -> bool:
    return hasattr(tensor, "isnan") and bool(tensor.isnan().any())


def _describe_tensor(value: Any, _: int) -> Statistics | None:
    if not hasattr(value, "detach"):
        return None
    dtype = str(value.dtype).removeprefix("torch.")
    found = {"dtype": dtype, "shape": list(value.shape), "device": str(value.device)}
    if str(value.layout) != "torch.strided":
        return found
    value = value.detach().cpu().resolve_conj().resolve_neg()
    try:
        array = value.numpy()
    except TypeError:  # a dtype that NumPy does not have, such as bfloat16
        array = value.float().numpy()
    return found | elements_of(array)


def _content(value: Any) -> dict[str, Any]:
    kind = recognise(type(value))
    chunks, meta = kind.encode(value) if isinstance(kind, Format) else ([], {})
    array = decode_array(memoryview(b"".join(chunks)), meta)
    return {"array": array, **{note: meta[note] for note in _COUNTS if note in meta}}


def _tensor_as_array(tensor: Any) -> tuple[Any, list[str]]:
    plain, dtype = tensor.detach(), tensor.dtype
    if dtype.is_floating_point and dtype.itemsize <= _HALF:
        return plain.float().numpy(), [f"its dtype {dtype}"]
    return plain.numpy(), []


def _jax_holds_nan(array: Any) -> bool:
    import numpy

    return holds_nan(numpy.asarray(array))


def _describe_jax(value: Any, _: int) -> Statistics | None:
    import numpy

    if not hasattr(value, "__array__"):
        return None
    array = numpy.asarray(value)
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        array = array.astype("float32")
    shape = {"dtype": str(value.dtype), "shape": list(value.shape)}
    return shape | elements_of(array)


def _jax_as_array(value: Any) -> tuple[Any, list[str]]:
    import numpy

    array = numpy.asarray(value)
    # NumPy neither calculates with bfloat16 nor saves it as such.
    if array.dtype.kind == "V":
        return array.astype("float32"), [f"its dtype {array.dtype}"]
    return array, []


_TENSOR = Format(
    kind="torch.Tensor",
    suffix="npy",
    encode=_encode_tensor,
    decode=_decode_tensor,
    package="torch",
    freeze=_freeze_tensor,
    weight=_weight,
    change=_change_of_tensor,
)
_PARAMETER = Format(
    kind="torch.Parameter",
    suffix="npy",
    encode=_encode_tensor,
    decode=_decode_parameter,
    package="torch",
    freeze=_freeze_parameter,
    weight=_weight,
    change=_change_of_tensor,
)
_JAX_ARRAY = Format(
    kind="jax.Array",
    suffix="npy",
    encode=_encode_jax,
    decode=_decode_jax,
    package="jax",
    freeze=_freeze_jax,
    weight=_weight,
)

TORCH = Family(
    packages=("torch",),
    kinds=(_TENSOR, _PARAMETER),
    recognise=recognise,
    holds_nan=_tensor_holds_nan,
    describe=_describe_tensor,
    content=_content,
    as_array=_tensor_as_array,
)
JAX = Family(
    packages=("jax", "jaxlib"),
    kinds=(_JAX_ARRAY,),
    recognise=recognise,
    holds_nan=_jax_holds_nan,
    describe=_describe_jax,
    content=_content,
    as_array=_jax_as_array,
)
