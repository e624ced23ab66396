"""The ZIP container: every tool opens it, every changed byte is found."""

from __future__ import annotations

import array
import io
import json
import os
import random
import re
import shutil
import struct
import subprocess
import threading
import zipfile

import pytest

from checkpoints import FileHandler, load
from checkpoints._files.archive import HEADER_MEMBER, Archive, lay_out
from checkpoints._files.container import open_container
from checkpoints._files.zip import Member, directory, dos_stamp, local_header, start_of
from checkpoints._kinds import json_bytes
from checkpoints.errors import CorruptFileError, TooLargeError
from checkpoints.storage import LocalFile

HEADER = {"checkpoints": 1, "text": "ü"}
TEXT = json_bytes.to_bytes(HEADER)
SECONDS = 1_700_000_000.0
SMALL = {
    "x.npy": [b"\x93NUMPY", bytes(range(256))],
    "empty.bin": [],
    "a/b c.txt": [b"some text, ", memoryview(b"in two pieces")],
    "long.json": [b"[1,2,3,4]" * 100],
}
METHODS = {None: zipfile.ZIP_STORED, "gzip": zipfile.ZIP_DEFLATED, "zstd": 93}


class InMemory:
    """A file that is not on the disk."""

    path = "memory.ckpt.zip"

    def __init__(self, data):
        self.data = data
        self.size = len(data)

    def read_into(self, offset, buffer):
        part = self.data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    def map(self):
        return self.data


def packed(members, header=HEADER, compression=None):
    """Return the bytes of an archive."""
    listed = list(members.items())
    text = json_bytes.to_bytes(header)
    size, pieces = lay_out(listed, text, seconds=SECONDS, compression=compression)
    whole = bytearray(size)
    for offset, piece in pieces:
        whole[offset : offset + len(piece)] = piece
    assert len(whole) == size
    return bytes(whole)


def contents(members):
    return {name: b"".join(chunks) for name, chunks in members.items()}


def unpacked(data, names):
    """Read everything with strict checks."""
    archive = Archive(InMemory(data))
    return header_of(archive), {name: bytes(archive.read(name)) for name in names}


def header_of(archive):
    return json_bytes.from_bytes(archive.read(HEADER_MEMBER))


def noise(size):
    return random.Random(size).randbytes(size)


@pytest.fixture(params=[None, "gzip", "zstd"], ids=str)
def compression(request):
    if request.param == "zstd":
        pytest.importorskip("zstandard", reason="below 3.14, zstd is a package")
    return request.param


class TestOtherTools:
    """The file is an ordinary ZIP."""

    @pytest.mark.parametrize("compression", [None, "gzip"])
    def test_zipfile_reads_and_checks_it(self, compression):
        with zipfile.ZipFile(io.BytesIO(packed(SMALL, HEADER, compression))) as file:
            assert file.testzip() is None
            assert file.namelist() == [*SMALL, HEADER_MEMBER]
            assert {name: file.read(name) for name in SMALL} == contents(SMALL)
            assert json.loads(file.read(HEADER_MEMBER)) == HEADER
            assert file.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)

    def test_zipfile_sees_the_method_of_each_member(self, compression):
        with zipfile.ZipFile(io.BytesIO(packed(SMALL, HEADER, compression))) as file:
            found = {info.filename: info.compress_type for info in file.infolist()}
        assert found["long.json"] == METHODS[compression]
        assert found["a/b c.txt"] == found[HEADER_MEMBER] == zipfile.ZIP_STORED

    def test_unzip_finds_no_fault_with_it(self, tmp_path):
        unzip = shutil.which("unzip")
        if unzip is None:
            pytest.skip("unzip is not installed")
        path = tmp_path / "a.zip"
        path.write_bytes(packed(SMALL, HEADER, "gzip"))
        done = subprocess.run(
            [unzip, "-t", path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        assert "No errors detected" in done.stdout

    def test_numpy_reads_arrays_from_it(self, tmp_path):
        numpy = pytest.importorskip("numpy", reason="it is about arrays")
        grid = numpy.arange(12.0).reshape(3, 4)
        FileHandler(tmp_path).checkpoint("arrays", x=grid, y=grid.T, note="text")
        with numpy.load(tmp_path / "arrays.ckpt.zip") as found:
            assert (found["x"] == grid).all()
            assert (found["y"] == grid.T).all()

    def test_the_data_of_every_member_is_aligned(self, compression):
        data = packed({f"{'n' * n}.bin": [noise(n)] for n in range(1, 130)})
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            for info in file.infolist():
                lengths = struct.unpack_from("<2H", data, info.header_offset + 26)
                assert (info.header_offset + 30 + sum(lengths)) % 64 == 0

    def test_times_no_zip_can_tell_are_the_nearest_it_can(self):
        assert dos_stamp(0) == (1 << 21) | (1 << 16)
        assert dos_stamp(1e11) >> 25 == 127


class TestRoundTrip:
    def test_every_member_comes_back(self, compression):
        data = packed(SMALL, HEADER, compression)
        assert unpacked(data, SMALL) == (HEADER, contents(SMALL))

    @pytest.mark.parametrize("size", [0, 1, 255, 256, (1 << 18) - 1, 1 << 18, 1 << 20])
    def test_members_of_every_size_come_back(self, size, compression):
        members = {
            "a.bin": [noise(size)],
            "b.bin": [bytes(size), b"x"],
            "c.bin": [b"y"],
        }
        data = packed(members, HEADER, compression)
        assert unpacked(data, members) == (HEADER, contents(members))

    def test_large_members_of_many_pieces_come_back(self, compression):
        chunks = [noise(1 << 20), b"", noise(3), memoryview(bytes(2_500_000))]
        members = {"large.bin": chunks, "small.bin": [b"x"]}
        data = packed(members, HEADER, compression)
        assert unpacked(data, members) == (HEADER, contents(members))

    def test_numbers_in_memory_are_their_bytes(self, compression):
        numbers = array.array("d", range(1000))
        members = {"x.bin": [memoryview(numbers)], "y.bin": [memoryview(numbers)[:3]]}
        data = packed(members, HEADER, compression)
        _, found = unpacked(data, members)
        assert found == {"x.bin": numbers.tobytes(), "y.bin": numbers[:3].tobytes()}

    def test_what_is_read_is_writable_and_nobody_elses(self):
        archive = Archive(InMemory(packed(SMALL)))
        one, other = archive.read("long.json"), archive.read("long.json")
        one[:1] = b"?"
        assert bytes(other[:1]) == b"["

    def test_stored_members_can_be_mapped_and_packed_ones_not(self, tmp_path):
        for compression, expected in ((None, b"[1,2,3,4]" * 100), ("gzip", None)):
            path = tmp_path / f"{compression}.zip"
            path.write_bytes(packed(SMALL, HEADER, compression))
            with LocalFile(str(path)) as file:
                mapped = Archive(file).map("long.json")
            assert (mapped and bytes(mapped)) == expected

    def test_pieces_that_nobody_takes_leave_no_thread_behind(self):
        before = {*threading.enumerate()}
        members = [("a.bin", [bytes(3 << 20)])]
        _, pieces = lay_out(members, TEXT, seconds=SECONDS)
        next(pieces)
        pieces.close()
        assert {*threading.enumerate()} <= before


class TestDamage:
    def test_a_changed_byte_is_never_a_changed_value(self, compression):
        data = packed(SMALL, HEADER, compression)
        expected = (HEADER, contents(SMALL))
        silent = [
            at for at in range(len(data)) if not self.is_found(data, at, expected)
        ]
        # Compressed data may have bits that say nothing; the layout has none.
        assert silent == [] or compression

    def is_found(self, data, at, expected):
        changed = bytearray(data)
        for change in (0x01, 0x80, 0xFF):
            changed[at] = data[at] ^ change
            try:
                assert unpacked(bytes(changed), SMALL) == expected, at
            except CorruptFileError:
                continue
            return False
        return True

    def test_a_changed_byte_of_a_large_member_is_never_a_changed_value(
        self, compression
    ):
        members = {"large.bin": [noise(1 << 19), bytes(1 << 20)], "b.bin": [b"x"]}
        data = packed(members, HEADER, compression)
        expected = (HEADER, contents(members))
        silent = []
        for at in [*range(64, len(data) - 400, 40_009), len(data) - 1]:
            changed = bytearray(data)
            changed[at] ^= 0x10
            try:
                assert unpacked(bytes(changed), members) == expected
                silent.append(at)
            except CorruptFileError:
                pass
        assert silent == [] or compression

    def test_every_shorter_file_is_found_cut(self):
        data = packed(SMALL)
        for length in range(len(data)):
            with pytest.raises(CorruptFileError):
                Archive(InMemory(data[:length]))

    @pytest.mark.parametrize("more", [b"\0", b"PK\5\6", b"x" * 22, b"\0" * 70_000])
    def test_bytes_before_or_behind_are_found(self, more):
        data = packed(SMALL)
        for changed in (data + more, more + data):
            with pytest.raises(CorruptFileError):
                Archive(InMemory(changed))

    def test_a_second_ending_is_found(self):
        data = packed(SMALL)
        for changed in (data + data, data + data[-22:], data[:-22] + data[-22:] * 2):
            with pytest.raises(CorruptFileError):
                Archive(InMemory(changed))

    def test_random_bytes_are_no_archive(self):
        for size in [*range(200), 5000, 100_000]:
            for data in (
                noise(size),
                b"PK\3\4" + noise(size),
                packed({}) + noise(size),
            ):
                if data != packed({}):
                    with pytest.raises(CorruptFileError):
                        Archive(InMemory(data))

    def test_another_programs_zip_is_no_archive(self):
        for names in ([], ["a.txt"], ["a.txt", HEADER_MEMBER]):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                for name in names:
                    archive.writestr(name, "{}")
            with pytest.raises(CorruptFileError):
                Archive(InMemory(file.getvalue()))

    def test_two_members_of_one_name_are_found(self):
        listed = [("a.bin", [b"one"]), ("a.bin", [b"two"])]
        _, pieces = lay_out(listed, TEXT, seconds=SECONDS)
        data = b"".join(piece for _, piece in pieces)
        with pytest.raises(CorruptFileError, match="directory"):
            Archive(InMemory(data))

    def test_a_missing_member_is_told_by_its_name(self):
        with pytest.raises(CorruptFileError, match=r"memory\.ckpt\.zip.*'no\.bin'"):
            Archive(InMemory(packed(SMALL))).read("no.bin")

    @pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000])
    def test_a_header_that_is_no_json_is_found(self, text):
        with pytest.raises(CorruptFileError):
            open_container(InMemory(made_up([(HEADER_MEMBER, text, len(text), 0)])))

    def test_a_name_that_is_not_ascii_is_found(self):
        members = [("ü.bin", b"", 0, 0), (HEADER_MEMBER, b"{}", 2, 0)]
        with pytest.raises(CorruptFileError):
            Archive(InMemory(made_up(members)))

    @pytest.mark.parametrize("size", [0, 2, 4, 1000, 1 << 31, (1 << 62) + 1])
    @pytest.mark.parametrize("method", [0, 8, 12, 99])
    def test_a_size_that_is_not_true_is_found_before_memory_is_taken(
        self, size, method
    ):
        members = [("a.bin", b"abc", size, method), (HEADER_MEMBER, b"{}", 2, 0)]
        with pytest.raises((CorruptFileError, TooLargeError)):
            Archive(InMemory(made_up(members))).read("a.bin")

    def test_a_file_cut_while_it_is_read_leaves_no_thread_behind(self, tmp_path):
        path = tmp_path / "a.zip"
        path.write_bytes(packed({"a.bin": [noise(3 << 20)]}))
        before = {*threading.enumerate()}
        with LocalFile(str(path)) as file:
            archive = Archive(file)
            os.truncate(path, 2 << 20)
            with pytest.raises(CorruptFileError, match="it is truncated"):
                archive.read("a.bin")
        assert {*threading.enumerate()} <= before

    def test_a_file_that_has_grown_is_not_called_cut_short(self, tmp_path):
        FileHandler(tmp_path).checkpoint("damaged", 1)
        path = tmp_path / "damaged.ckpt.zip"
        whole = path.read_bytes()
        for data, told in (
            (whole + b"more", "there are extra bytes after its end"),
            (whole[:-1], "it is truncated or not a ZIP file"),
            (whole[:-100], "it is truncated or not a ZIP file"),
        ):
            path.write_bytes(data)
            with pytest.raises(CorruptFileError, match=told):
                load(path)

    def test_nothing_that_is_raised_hides_the_file_and_the_way_out(self, tmp_path):
        FileHandler(tmp_path).checkpoint("damaged", 1)
        path = tmp_path / "damaged.ckpt.zip"
        path.write_bytes(path.read_bytes()[:-5])
        with pytest.raises(CorruptFileError, match=re.escape(str(path))) as told:
            load(path)
        assert "save again" in str(told.value)


def made_up(given):
    """Return an archive of consistent records, with any claims."""
    data, members = bytearray(), []
    for name, stored, size, method in given:
        label = name.encode()
        crc = zipfile.crc32(stored)
        start = start_of(len(data), label, len(stored), size)
        member = Member(label, len(data), start, method, crc, len(stored), size, 0)
        data += local_header(member) + stored
        members.append(member)
    return bytes(data + directory(members, len(data)))


class TestLargeArchives:
    """What the first version of the format cannot represent."""

    def test_sizes_and_places_beyond_32_bits(self, tmp_path):
        """The large member is 4.1 GB of zeros, stored as a hole in the file."""
        zeros = bytes(1 << 24)
        listed = [
            ("before.bin", [b"before"]),
            ("zeros.bin", [zeros] * 260),
            ("after.bin", [b"after"]),
        ]
        size, pieces = lay_out(listed, TEXT, seconds=SECONDS)
        path = tmp_path / "large.zip"
        with path.open("wb") as file:
            file.truncate(size)
            for offset, piece in pieces:
                if piece is not zeros:
                    file.seek(offset)
                    file.write(piece)
        assert path.stat().st_size == size > 1 << 32
        with zipfile.ZipFile(path) as file:
            assert [info.file_size for info in file.infolist()[:3]] == [6, 260 << 24, 5]
            assert file.read("before.bin") == b"before"
            assert file.read("after.bin") == b"after"
            with file.open("zeros.bin") as member:
                assert member.read(100) == bytes(100)
        with LocalFile(str(path)) as file:
            archive = Archive(file)
            assert header_of(archive) == HEADER
            assert bytes(archive.read("after.bin")) == b"after"
            mapped = archive.map("zeros.bin")
            assert mapped is not None
            assert len(mapped) == 260 << 24

    def test_more_members_than_16_bits_count(self):
        members = {f"{number}.bin": [b"x"] for number in range((1 << 16) + 5)}
        data = packed(members)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            assert len(file.infolist()) == len(members) + 1
            assert file.read("65540.bin") == b"x"
        archive = Archive(InMemory(data))
        assert bytes(archive.read("65540.bin")) == b"x"
        for at in (-95, -40, -10):  # the three records that end such a file
            changed = bytearray(data)
            changed[at] ^= 1
            with pytest.raises(CorruptFileError):
                Archive(InMemory(bytes(changed)))
