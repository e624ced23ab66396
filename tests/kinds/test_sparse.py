"""SciPy sparse arrays of every format come back exactly, without a pickle."""

from __future__ import annotations

import pytest

from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.sparse import FAMILY, recognise

numpy = pytest.importorskip("numpy", reason="SciPy is made of it")
sparse = pytest.importorskip("scipy.sparse", reason="these are values of SciPy")

FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]
CLASSES = [
    getattr(sparse, f"{format}_{kind}")
    for format in FORMATS
    for kind in ("matrix", "array")
]
DENSE = numpy.array([[0, 1.5, 0, 0], [2, 0, 0, 0], [0, 0, 0, -3]])


def assert_same(one, other):
    assert type(other) is type(one)
    assert other.dtype == one.dtype
    assert other.shape == one.shape
    assert other.nnz == one.nnz
    for name in ("data", "indices", "indptr", "offsets", "row", "col"):
        mine, its = getattr(one, name, None), getattr(other, name, None)
        if isinstance(mine, numpy.ndarray) and mine.dtype != object:
            assert its.dtype == mine.dtype
            assert its.tolist() == mine.tolist()
    assert other.toarray().tolist() == one.toarray().tolist()


class TestRoundTrip:
    @pytest.mark.parametrize("cls", CLASSES)
    @pytest.mark.parametrize("dtype", ["f8", "f4", "c8", "i2", "?"])
    def test_comes_back_as_it_was(self, round_trip, cls, dtype):
        made = cls(DENSE.astype(dtype))
        assert_same(made, round_trip(made))
        assert round_trip.left == []
        assert set(round_trip.kinds) == {"scipy.sparse", "numpy.ndarray"}

    @pytest.mark.parametrize("cls", CLASSES)
    @pytest.mark.parametrize("shape", [(3, 4), (1, 1), (5, 0), (0, 0)])
    def test_comes_back_without_elements(self, round_trip, cls, shape):
        try:
            made = cls(shape)
        except ValueError:
            made = cls(numpy.zeros((2, 2)))
        assert_same(made, round_trip(made))

    @pytest.mark.parametrize("cls", CLASSES)
    def test_comes_back_ready_to_compute(self, round_trip, cls):
        back = round_trip(cls(DENSE))
        product = (back @ numpy.ones(4)).tolist()
        assert product == (DENSE @ numpy.ones(4)).tolist()

    @pytest.mark.parametrize("cls", [sparse.csr_array, sparse.csc_matrix])
    def test_wide_indices_stay_wide(self, round_trip, cls):
        made = cls(DENSE)
        made.indices = made.indices.astype("i8")
        made.indptr = made.indptr.astype("i8")
        assert_same(made, round_trip(made))

    def test_wide_coordinates_stay_wide(self, round_trip):
        made = sparse.coo_matrix(DENSE)
        made.row, made.col = made.row.astype("i8"), made.col.astype("i8")
        assert_same(made, round_trip(made))

    @pytest.mark.parametrize("cls", [sparse.csr_matrix, sparse.csc_array])
    def test_elements_of_no_order_keep_their_places(self, round_trip, cls):
        made = cls(
            (numpy.array([1.0, 2, 0]), numpy.array([1, 0, 0]), numpy.array([0, 2, 3])),
            shape=(2, 2),
        )
        back = round_trip(made)
        assert back.indices.tolist() == [1, 0, 0]
        assert back.has_sorted_indices == made.has_sorted_indices
        assert back.nnz == 3

    @pytest.mark.parametrize("canonical", [True, False])
    def test_coordinates_keep_what_is_known_of_them(self, round_trip, canonical):
        made = sparse.coo_array(DENSE)
        made.has_canonical_format = canonical
        assert round_trip(made).has_canonical_format == canonical

    def test_coordinates_that_stand_twice_stay_so(self, round_trip):
        made = sparse.coo_array(([1, 2], ([0, 0], [1, 1])), shape=(2, 2))
        assert round_trip(made).data.tolist() == [1, 2]

    def test_blocks_keep_their_size(self, round_trip):
        made = sparse.bsr_array(numpy.kron(numpy.eye(2), numpy.ones((2, 3))), None)
        made = made.tobsr(blocksize=(2, 3))
        assert round_trip(made).blocksize == (2, 3)

    def test_one_dimension_comes_back(self, round_trip):
        try:
            made = sparse.coo_array(numpy.array([0, 1.5, 0]))
        except (TypeError, ValueError):  # older versions of SciPy have two at least
            return
        back = round_trip(made)
        assert back.shape == made.shape
        assert back.toarray().tolist() == made.toarray().tolist()


class TestForgedParts:
    @pytest.mark.parametrize("cls", CLASSES)
    @pytest.mark.parametrize(
        "forged",
        [
            {"format": "exe"},
            {"format": "__class__"},
            {"shape": [1, 1]},
            {"shape": [-3, 4]},
        ],
        ids=str,
    )
    def test_what_does_not_add_up_is_refused(self, cls, forged):
        if "dia" in cls.__name__ and forged == {"shape": [1, 1]}:
            forged = {"offsets": numpy.zeros(99, "i4")}
        parts = recognise(cls).take_apart(cls(DENSE))
        with pytest.raises((ValueError, TypeError)):
            recognise(cls).put_together({**parts, **forged})

    @pytest.mark.parametrize("cls", [sparse.csr_array, sparse.csc_array])
    @pytest.mark.parametrize("index", [-1, 4, 10**6])
    def test_an_index_beyond_the_shape_is_refused(self, cls, index):
        parts = recognise(cls).take_apart(cls(DENSE))
        forged = numpy.array([index, 0, 0], parts["indices"].dtype)
        with pytest.raises(ValueError):
            recognise(cls).put_together({**parts, "indices": forged})

    def test_pointers_beyond_the_data_are_refused(self):
        parts = FAMILY.kinds[0].take_apart(sparse.csr_array(DENSE))
        forged = numpy.array([0, 1, 2, 9**6], parts["indptr"].dtype)
        with pytest.raises(ValueError):
            FAMILY.kinds[0].put_together({**parts, "indptr": forged})


class TestRecognition:
    @pytest.mark.parametrize(
        "cls", [type("Own", (sparse.csr_matrix,), {}), sparse.linalg.LinearOperator]
    )
    def test_other_classes_are_left_to_a_pickle(self, cls):
        assert recognise(cls) is None


def parts_of(value):
    """All that a sparse array holds, with the types of its keys and elements."""
    parts = {**vars(value)}
    for flag in ("_has_canonical_format", "_has_sorted_indices"):
        parts.pop(flag, None)
    return {name: typed(part) for name, part in parts.items()}


def typed(part):
    if isinstance(part, numpy.ndarray):
        return part.dtype, [typed(item) for item in part]
    if isinstance(part, dict):
        return [(typed(key), typed(item)) for key, item in part.items()]
    if isinstance(part, list | tuple):
        return type(part), [typed(item) for item in part]
    return type(part), part


def with_room_to_spare():
    made = sparse.csr_array((2, 2))
    made.indptr = numpy.array([0, 1, 2])
    made.indices, made.data = numpy.array([0, 1, 1]), numpy.array([1.0, 2, 9])
    return made


def with_wide_indices():
    made = sparse.csc_matrix(DENSE)
    made.indices, made.indptr = made.indices.astype("i8"), made.indptr.astype("i8")
    return made


def not_canonical():
    return sparse.coo_array(([1, 2], ([0, 0], [1, 1])), shape=(2, 2))


def canonical():
    made = not_canonical()
    made.has_canonical_format = True
    return made


def filled(format, number):
    made = getattr(sparse, f"{format}_array")((3, 4))
    made[1, 2] = number
    made[0, numpy.int64(3)] = 2
    made[0, 1] = 0.5
    return made


def mixed_lil():
    made = filled("lil", 5)
    made[[0, 1], [2, 3]] = [7, 8]
    return made


def mixed_dok():
    made = sparse.csr_array(DENSE).todok()
    made[2, 0] = 1
    made._dict[numpy.int64(2), 1] = 4.0
    return made


UNUSUAL = [
    with_room_to_spare,
    with_wide_indices,
    not_canonical,
    canonical,
    lambda: filled("lil", 5),
    lambda: filled("dok", 5),
    mixed_lil,
    mixed_dok,
    lambda: sparse.csr_array(DENSE).todok(),
    lambda: sparse.dok_array((3, 4), dtype="f4"),
]


class TestUnusual:
    @pytest.mark.parametrize("make", UNUSUAL)
    def test_comes_back_with_each_part_as_it_was(self, round_trip, make):
        made = make()
        assert parts_of(round_trip(made)) == parts_of(made)
        assert round_trip.left == []

    @pytest.mark.parametrize(
        "make", [*UNUSUAL, *(lambda c=c: c(DENSE) for c in CLASSES)]
    )
    def test_is_copied_with_each_part_as_it_was(self, make):
        made = make()
        before = parts_of(made)
        frozen = freeze(made)
        if made.format in ("lil", "dok"):
            made[0, 1] = 9
        else:
            made.data[:] = 9
        assert parts_of(frozen) == before

    @pytest.mark.parametrize(
        "state",
        [
            {"indices": numpy.array([0, 9, 0], "i4")},
            {"indptr": numpy.array([0, 9, 0, 0], "i4")},
            {"indices": numpy.array([0, 1], "i4")},
            {"indices": numpy.array([0, 1, 0], "u8")},
            {"unit": "m"},
            {"maxprint": 3},
            {"_has_canonical_format": True, "indices": numpy.array([1, 0, 3], "i4")},
        ],
        ids=str,
    )
    def test_what_cannot_be_rebuilt_is_left_to_a_pickle(self, state):
        made = sparse.csr_array(numpy.array([[1.5, 2.0, 0, 0], [0, 0, 0, -3]]))
        vars(made).update(state)
        assert encode({"it": made}).pickled.keys() == {"it"}
