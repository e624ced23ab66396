"""SciPy sparse arrays of every format come back exactly, without a pickle."""

from __future__ import annotations

import pytest

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


class TestFreeze:
    @pytest.mark.parametrize("cls", CLASSES)
    def test_is_a_copy(self, cls):
        made = cls(DENSE)
        frozen = recognise(cls).freeze(made)
        assert type(frozen) is cls
        if made.format in ("lil", "dok"):
            made[0, 1] = 9
        else:
            made.data[:] = 9
        assert frozen.toarray().tolist() == DENSE.tolist()
