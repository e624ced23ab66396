"""PyTorch tensors and JAX arrays come back exactly, on the CPU."""

from __future__ import annotations

import sys

import pytest

from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.tensors import recognise
from checkpoints.errors import CorruptFileError

numpy = pytest.importorskip("numpy", reason="tensors are kept as its arrays")

TORCH_DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "complex32",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
]
JAX_DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "int32",
    "uint32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "float8_e4m3fn",
    "float8_e5m2",
    "int4",
    "uint4",
]


def same_memory(buffer, address):
    return numpy.frombuffer(buffer, "u1").__array_interface__["data"][0] == address


class TestTorch:
    @pytest.fixture
    def torch(self):
        reason = "PyTorch is not installed; these are its tensors"
        return pytest.importorskip("torch", reason=reason)

    @pytest.fixture
    def trip(self, torch, round_trip):
        def made(tensor, **options):
            back = round_trip(tensor, **options)
            assert type(back) is type(tensor)
            assert back.dtype == tensor.dtype
            assert back.shape == tensor.shape
            assert back.requires_grad == tensor.requires_grad
            assert back.device == torch.device("cpu")
            expected, found = tensor.detach().cpu(), back.detach()
            if tensor.element_size() == 1:
                expected, found = expected.view(torch.uint8), found.view(torch.uint8)
            if tensor.dtype == torch.complex32:
                expected, found = expected.view(torch.int32), found.view(torch.int32)
            assert torch.equal(found, expected)
            return back

        return made

    @pytest.mark.filterwarnings("ignore:ComplexHalf")
    @pytest.mark.parametrize("name", TORCH_DTYPES)
    @pytest.mark.parametrize("read_only", [False, True])
    def test_every_dtype_comes_back(self, torch, trip, round_trip, name, read_only):
        dtype = getattr(torch, name, None)
        if dtype is None:  # not in this version, so no tensor can have it
            return
        tensor = torch.tensor([[0.0, 1.0, 2.0], [4.0, 8.0, 16.0]]).to(dtype)
        back = trip(tensor, read_only=read_only)
        back[0, 0] = back[1, 2]
        assert round_trip.kinds == ["torch.Tensor"]
        assert round_trip.notes["torch_dtype"] == name
        assert round_trip.notes["shape"] == [2, 3]

    @pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,), (2, 3, 4, 5)])
    @pytest.mark.parametrize("name", ["float32", "bfloat16"])
    def test_every_shape_comes_back(self, torch, trip, shape, name):
        trip(torch.ones(shape, dtype=getattr(torch, name)))

    @pytest.mark.parametrize("name", ["float32", "bfloat16"])
    def test_memory_order_comes_back(self, torch, trip, name):
        tensor = torch.arange(6.0).reshape(2, 3).to(getattr(torch, name)).T
        assert trip(tensor).stride() == tensor.stride() == (1, 3)

    @pytest.mark.parametrize(
        "change",
        [
            lambda tensor: tensor[::2, 1::2],
            lambda tensor: tensor[:1].expand(4, 6),
            lambda tensor: tensor.permute(1, 0),
            lambda tensor: tensor.to_dense().conj(),
            lambda tensor: (tensor * 1j).conj(),
            lambda tensor: (tensor * 1j).conj().imag,
        ],
    )
    def test_views_come_back_as_what_they_show(self, torch, trip, change):
        trip(change(torch.arange(24.0).reshape(4, 6)))

    @pytest.mark.parametrize("name", ["float32", "bfloat16", "bool"])
    def test_is_written_without_a_copy(self, torch, name):
        tensor = torch.zeros(64, dtype=getattr(torch, name))
        buffers, _ = recognise(torch.Tensor).encode(tensor)
        assert same_memory(buffers[1], tensor.data_ptr())

    def test_is_read_without_a_copy(self, torch):
        format = recognise(torch.Tensor)
        buffers, notes = format.encode(torch.zeros(64))
        memory = bytearray(b"".join(buffers))
        back = format.decode(memoryview(memory), notes)
        assert same_memory(memoryview(memory)[len(buffers[0]) :], back.data_ptr())

    @pytest.mark.parametrize("requires_grad", [False, True])
    def test_gradients_are_asked_for_as_before(self, torch, trip, requires_grad):
        trip(torch.ones(2, requires_grad=requires_grad))
        trip(torch.nn.Parameter(torch.ones(2), requires_grad=requires_grad))

    def test_what_was_computed_comes_back(self, torch, trip):
        assert trip(torch.ones(2, requires_grad=True) * 2).is_leaf

    def test_a_parameter_is_one_again(self, torch, trip, round_trip):
        trip(torch.nn.Parameter(torch.ones(2, 3, dtype=torch.bfloat16)))
        assert round_trip.kinds == ["torch.Parameter"]

    def test_a_parameter_of_whole_numbers_is_one_again(self, torch, trip):
        trip(torch.nn.Parameter(torch.arange(3), requires_grad=False))

    def test_the_device_is_noted(self, torch, round_trip):
        round_trip(torch.ones(2))
        assert round_trip.notes["device"] == "cpu"

    def test_what_npy_cannot_hold_is_inexact(self, torch, round_trip):
        named = torch.ones(2)
        named.label = "weights"
        values = [
            torch.eye(2).to_sparse(),
            torch.empty(2, device="meta"),
            named,
        ]
        for value in values:
            with pytest.raises(Inexact):
                round_trip(value)

    @pytest.mark.parametrize(
        ("forged", "error"),
        [
            ({"torch_dtype": "float32"}, ValueError),
            ({"torch_dtype": "bfloat16"}, ValueError),
            ({"torch_dtype": "load"}, KeyError),
            ({"shape": [3]}, CorruptFileError),
        ],
    )
    def test_forged_notes_are_refused(self, torch, forged, error):
        format = recognise(torch.Tensor)
        buffers, notes = format.encode(torch.zeros(2, dtype=torch.float64))
        with pytest.raises(error):
            format.decode(memoryview(b"".join(buffers)), {**notes, **forged})

    def test_other_classes_are_left_to_a_pickle(self, torch):
        own = type("Own", (torch.Tensor,), {})
        for cls in (own, torch.nn.Linear, torch.dtype, torch.device):
            assert recognise(cls) is None

    def test_a_copy_keeps_attributes_of_its_own(self, torch):
        for value in (torch.ones(2), torch.nn.Parameter(torch.ones(2))):
            value.tag = "a"
            frozen = freeze(value)
            value.data[0] = 5
            assert type(frozen) is type(value)
            assert (frozen.tag, frozen.tolist()) == ("a", [1, 1])

    def test_weights_that_are_used_twice_stay_one(self, torch):
        linear = torch.nn.Linear(2, 2, bias=False)
        model = torch.nn.ModuleDict({"one": linear, "two": linear})
        encoded = encode({"state": dict(model.state_dict())})
        tensors = [name for name, _ in encoded.members if name.endswith(".npy")]
        assert tensors == ["state/one.weight.npy"]
        apart = [torch.ones(2), torch.ones(2), torch.ones(2, requires_grad=True)]
        assert len(encode({"it": apart}).members) == 4

    def test_what_is_not_saved_is_told(self, torch):
        change = recognise(torch.Tensor).change
        leaf = torch.ones(2, requires_grad=True)
        assert change(leaf) == ""
        computed = (leaf * 2).sum()
        assert change(computed) == "it will be loaded without how it was computed"
        computed.backward()
        assert change(leaf) == "it will be loaded without its gradient"

    @pytest.mark.parametrize("requires_grad", [False, True])
    def test_freezing_copies(self, torch, requires_grad):
        for cls in (torch.Tensor, torch.nn.Parameter):
            tensor = torch.zeros(2)
            if cls is torch.nn.Parameter:
                tensor = cls(tensor)
            tensor.requires_grad_(requires_grad)
            frozen = recognise(cls).freeze(tensor)
            with torch.no_grad():
                tensor += 1
            assert type(frozen) is cls
            assert frozen.tolist() == [0, 0]
            assert frozen.requires_grad == requires_grad


class TestJax:
    @pytest.fixture
    def jax(self):
        reason = "JAX is not installed; these are its arrays"
        pytest.importorskip("jax.numpy", reason=reason)
        return pytest.importorskip("jax", reason=reason)

    @pytest.fixture
    def wide(self, jax):
        """64-bit arrays, which JAX creates only if configured to."""
        before = jax.config.jax_enable_x64
        jax.config.update("jax_enable_x64", True)
        yield
        jax.config.update("jax_enable_x64", before)

    @pytest.mark.parametrize("name", JAX_DTYPES)
    @pytest.mark.parametrize("read_only", [False, True])
    def test_every_dtype_comes_back(self, jax, wide, round_trip, name, read_only):
        array = jax.numpy.array([[0, 1, 2], [4, 5, 6]], dtype=getattr(jax.numpy, name))
        jax.config.update("jax_enable_x64", False)
        back = round_trip(array, read_only=read_only)
        assert type(back) is type(array)
        assert isinstance(back, jax.Array)
        assert back.dtype == array.dtype
        assert numpy.asarray(back).tobytes() == numpy.asarray(array).tobytes()
        assert not back.weak_type
        assert round_trip.kinds == ["jax.Array"]
        assert round_trip.notes["shape"] == [2, 3]

    @pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3, 4)])
    def test_every_shape_comes_back(self, jax, round_trip, shape):
        back = round_trip(jax.numpy.ones(shape, "bfloat16"))
        assert back.shape == shape

    def test_can_be_computed_with(self, jax, round_trip):
        back = round_trip(jax.numpy.arange(3.0))
        assert (back + jax.numpy.ones(3)).tolist() == [1, 2, 3]
        assert not back.committed

    def test_does_not_change_with_the_memory_it_was_read_from(self, jax):
        array = jax.numpy.zeros(64)
        format = recognise(type(array))
        buffers, notes = format.encode(array)
        memory = bytearray(b"".join(buffers))
        back = format.decode(memoryview(memory), notes)
        memory[:] = b"\xff" * len(memory)
        assert back.tolist() == [0] * 64

    def test_what_npy_cannot_hold_is_inexact(self, jax, round_trip):
        weak = jax.numpy.asarray(1.0)
        assert weak.weak_type
        deleted = jax.numpy.ones(2)
        deleted.delete()
        for value in (weak, deleted):
            with pytest.raises(Inexact):
                round_trip(value)

    def test_typed_keys_are_left_to_a_pickle(self, jax):
        assert recognise(type(jax.random.key(0))) is None

    @pytest.mark.parametrize(
        ("forged", "error"),
        [({"jax_dtype": "float32"}, KeyError), ({"jax_dtype": "int4"}, ValueError)],
    )
    def test_forged_notes_are_refused(self, jax, forged, error):
        array = jax.numpy.zeros(2, "bfloat16")
        buffers, notes = recognise(type(array)).encode(array)
        with pytest.raises(error):
            recognise(type(array)).decode(
                memoryview(b"".join(buffers)), {**notes, **forged}
            )

    def test_freezing_is_free_because_nothing_changes_them(self, jax):
        array = jax.numpy.zeros(2)
        assert recognise(type(array)).freeze(array) is array


class TestRecognition:
    def test_nothing_is_imported_for_it(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        assert recognise(type("Tensor", (), {"__module__": "torch"})) is None
        assert "torch" not in sys.modules
