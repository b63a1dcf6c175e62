"""MATLAB files: the same as SciPy reads, and nothing taken that the file does not hold."""

import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from segkit._mat import read_mat

DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


@pytest.fixture
def saved(tmp_path):
    """Return a function that writes variables to a file and returns its path."""

    def write(do_compression=True, **variables):
        path = tmp_path / "x.mat"
        savemat(path, variables, do_compression=do_compression)
        return path

    return write


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (0, 3), (2, 3, 4), (1, 9)])
def test_numbers_come_back_in_their_shape_and_type(saved, dtype, shape, compressed):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    found = read_mat(saved(compressed, before=np.eye(2), x=array), "x")
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, array)


def test_cells_are_lists_and_structs_are_dicts(saved):
    cells = np.empty((1, 2), dtype=object)
    cells[0, 0] = {"a": np.eye(3), "name": np.zeros((2, 2), dtype=bool)}
    cells[0, 1] = np.arange(4)
    found = read_mat(saved(x=cells), "x")
    assert list(found[0][0]) == ["a", "name"]
    np.testing.assert_array_equal(found[0][0]["a"], np.eye(3))
    np.testing.assert_array_equal(found[1], [[0, 1, 2, 3]])


def test_big_endian_files_are_read(tmp_path):
    def element(kind, data):
        padded = data + b"\0" * (-len(data) % 8)
        return np.array([kind, len(data)], ">u4").tobytes() + padded

    parts = [
        element(6, np.array([11, 0], ">u4").tobytes()),
        element(5, np.array([1, 3], ">i4").tobytes()),
        element(1, b"x"),
        element(4, np.array([7, 8, 900], ">u2").tobytes()),
    ]
    header = b"MATLAB 5.0".ljust(124) + b"\x01\x00MI"
    path = tmp_path / "big.mat"
    path.write_bytes(header + element(14, b"".join(parts)))
    np.testing.assert_array_equal(read_mat(path, "x"), [[7, 8, 900]])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a MATLAB file"),
        (b"x" * 200, "not a MATLAB file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 200, "version 7.3, which is not read; save it as -v7"),
    ],
)
def test_other_files_are_refused(tmp_path, data, told):
    path = tmp_path / "x.mat"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=told) as caught:
        read_mat(path, "x")
    assert str(path) in str(caught.value)


def test_what_is_not_there_is_told(saved, tmp_path):
    with pytest.raises(ValueError, match="holds no variable 'x', but y"):
        read_mat(saved(y=np.eye(2)), "x")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_mat(tmp_path / "nowhere.mat", "x")
    with pytest.raises(ValueError, match="class 4, which is not read"):
        read_mat(saved(x="text"), "x")
    with pytest.raises(ValueError, match="which is not read"):
        read_mat(saved(x=np.array([1j])), "x")


@pytest.mark.parametrize("compressed", [False, True])
def test_damage_takes_no_memory_and_names_the_file(saved, compressed):
    cells = np.empty((1, 2), dtype=object)
    cells[0, 0] = cells[0, 1] = {"Segmentation": np.ones((9, 9), dtype=np.uint16)}
    path = saved(compressed, x=cells)
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    tracemalloc.start()
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[generator.integers(124, len(whole))] ^= 1 << generator.integers(8)
        path.write_bytes(damaged)
        try:
            read_mat(path, "x")
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_bomb_is_refused(saved):
    path = saved(x=np.zeros((4000, 4000), dtype=np.uint8))
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="unpacks to more than the 1000000 bytes allowed"):
        read_mat(path, "x", limit=10**6)
    with pytest.raises(ValueError, match="more than the 1000 allowed"):
        read_mat(path, "x", limit=1000)


def test_arrays_in_arrays_have_an_end(saved):
    value = np.eye(1)
    for _ in range(12):
        outer = np.empty((1, 1), dtype=object)
        outer[0, 0] = value
        value = outer
    with pytest.raises(ValueError, match="more than 8 deep"):
        read_mat(saved(x=value), "x")


def test_a_cut_stream_is_damaged(saved):
    path = saved(x=np.random.default_rng(0).random((20, 20)))
    whole = path.read_bytes()
    content = zlib.decompress(whole[136:])
    cut = zlib.compress(content[:-200])
    path.write_bytes(whole[:128] + np.array([15, len(cut)], "<u4").tobytes() + cut)
    with pytest.raises(ValueError, match="damaged or cut short"):
        read_mat(path, "x")
