"""Reading and writing: what is kept, what is refused, and what damage gives."""

import os
import warnings
import zipfile

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import segkit

SHAPES = {2: (7, 5), 3: (4, 7, 5), 4: (2, 3, 7, 5)}


def picture(shape, dtype, seed=0):
    """Return random pixels over the whole range of an integer dtype."""
    return np.random.default_rng(seed).integers(
        0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True
    )


# Round trips


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "color"])
@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff", "npy", "npz", "PNG"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_come_back_exactly(tmp_path, suffix, dtype, channels):
    if suffix == "bmp" and dtype == np.uint16:
        pytest.skip("BMP holds 8 bits")
    image = picture((9, 6, *channels), dtype)
    segkit.write_image(tmp_path / f"x.{suffix}", image)
    back = segkit.read_image(str(tmp_path / f"x.{suffix}"))
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, image)


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_photographs_lose_little(tmp_path, suffix):
    ramp = np.tile(np.arange(0, 128, 2, dtype=np.uint8), (48, 1))
    image = np.stack([ramp, ramp + 20, 255 - ramp], axis=-1)
    segkit.write_image(tmp_path / f"x.{suffix}", image)
    back = segkit.read_image(tmp_path / f"x.{suffix}").astype(int)
    assert back.shape == image.shape
    assert np.abs(back - image).mean() < 4


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_stacks_come_back_exactly_from_tiff(tmp_path, ndim, dtype):
    image = picture(SHAPES[ndim], np.uint8).astype(dtype)
    segkit.write_image(tmp_path / "x.tif", image)
    back = segkit.read_image(tmp_path / "x.tif")
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, image)


def test_a_stack_of_color_pictures(tmp_path):
    image = picture((4, 7, 5, 3), np.uint8)
    segkit.write_image(tmp_path / "x.tif", image)
    np.testing.assert_array_equal(segkit.read_image(tmp_path / "x.tif"), image)


@given(
    labels=hnp.array_shapes(min_dims=1, max_dims=4, max_side=4).flatmap(
        lambda shape: hnp.arrays(
            st.sampled_from([np.int32, np.int64, np.uint8, np.uint64]),
            shape,
            elements=st.sampled_from([0, 1, 7, 200]),
        )
    ),
    largest=st.sampled_from([1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**60]),
    suffix=st.sampled_from(["png", "tif", "npz", "npy"]),
)
def test_labels_come_back_exactly_or_are_refused(tmp_path_factory, labels, largest, suffix):
    path = tmp_path_factory.getbasetemp() / f"labels.{suffix}"
    path.unlink(missing_ok=True)
    if np.iinfo(labels.dtype).max >= largest:
        labels.flat[0] = largest
    limit = {"png": 2**16 - 1, "tif": 2**32 - 1}.get(suffix, 2**63)
    ndims = {"png": [2], "tif": [2, 3, 4]}.get(suffix, [1, 2, 3, 4])
    if labels.max() > limit or labels.ndim not in ndims:
        with pytest.raises(ValueError, match=r"`labels` has .*npz"):
            segkit.write_labels(path, labels)
        assert not path.exists()
        return
    segkit.write_labels(path, labels)
    back = segkit.read_labels(path)
    assert back.dtype == (np.int32 if labels.max() < 2**31 else np.int64)
    assert back.shape == labels.shape
    np.testing.assert_array_equal(back, labels)


def test_empty_labels_need_numpy_files(tmp_path):
    empty = np.zeros((0, 4), dtype=np.int32)
    segkit.write_labels(tmp_path / "x.npz", empty)
    assert segkit.read_labels(tmp_path / "x.npz").shape == (0, 4)
    with pytest.raises(ValueError, match="`labels` is empty"):
        segkit.write_labels(tmp_path / "x.png", empty)


# What files mean


def test_alpha_is_dropped_with_a_warning_or_refused(tmp_path):
    pixels = picture((6, 5, 4), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    with pytest.warns(UserWarning, match=r"x\.png: the alpha channel was dropped"):
        back = segkit.read_image(tmp_path / "x.png")
    np.testing.assert_array_equal(back, pixels[..., :3])
    with pytest.raises(ValueError, match=r"x\.png: has an alpha channel"):
        segkit.read_image(tmp_path / "x.png", alpha="refuse")
    with pytest.raises(ValueError, match="`alpha` must be one of"):
        segkit.read_image(tmp_path / "x.png", alpha="keep")


def test_alpha_beside_grey_and_in_tiff(tmp_path):
    pixels = picture((6, 5, 2), np.uint8)
    Image.fromarray(pixels, mode="LA").save(tmp_path / "x.png")
    tifffile.imwrite(
        tmp_path / "y.tif", picture((6, 5, 4), np.uint16), photometric="rgb", extrasamples=[2]
    )
    with pytest.warns(UserWarning, match="alpha channel was dropped"):
        np.testing.assert_array_equal(segkit.read_image(tmp_path / "x.png"), pixels[..., 0])
    with pytest.warns(UserWarning, match="alpha channel was dropped"):
        assert segkit.read_image(tmp_path / "y.tif").shape == (6, 5, 3)


def test_one_bit_becomes_black_and_white(tmp_path):
    bits = picture((5, 9), np.uint8) > 127
    Image.fromarray(bits).save(tmp_path / "x.png")
    np.testing.assert_array_equal(segkit.read_image(tmp_path / "x.png"), bits * np.uint8(255))
    np.testing.assert_array_equal(segkit.read_labels(tmp_path / "x.png"), bits)


def test_a_palette_is_colors_for_images_and_indices_for_labels(tmp_path):
    indices = picture((5, 9), np.uint8) % 4
    paletted = Image.fromarray(indices)
    paletted.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    paletted.save(tmp_path / "x.png")
    assert segkit.read_image(tmp_path / "x.png").shape == (5, 9, 3)
    np.testing.assert_array_equal(segkit.read_labels(tmp_path / "x.png"), indices)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(picture((6, 9, 3), np.uint8)).save(tmp_path / "x.jpg", exif=exif)
    assert segkit.read_image(tmp_path / "x.jpg").shape == (9, 6, 3)


def test_the_content_decides_not_the_suffix(tmp_path):
    image = picture((6, 5), np.uint8)
    segkit.write_image(tmp_path / "x.png", image)
    (tmp_path / "x.png").rename(tmp_path / "x.tif")
    np.testing.assert_array_equal(segkit.read_image(tmp_path / "x.tif"), image)


def test_an_archive_of_both_gives_the_one_that_is_asked_for(tmp_path):
    image, labels = picture((6, 5), np.uint8), np.arange(30).reshape(6, 5)
    np.savez(tmp_path / "x.npz", image=image, labels=labels, more=np.zeros(3))
    np.testing.assert_array_equal(segkit.read_image(tmp_path / "x.npz"), image)
    np.testing.assert_array_equal(segkit.read_labels(tmp_path / "x.npz"), labels)


def test_lzw_tiff_is_read(tmp_path):
    image = picture((6, 5, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "x.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(segkit.read_image(tmp_path / "x.tif"), image)


# What is refused


@pytest.mark.parametrize("read", [segkit.read_image, segkit.read_labels])
class TestRefused:
    def test_a_missing_file(self, tmp_path, read):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
            read(tmp_path / "nowhere.png")

    def test_a_folder(self, tmp_path, read):
        with pytest.raises(OSError, match=tmp_path.name):
            read(tmp_path)

    def test_what_is_no_path(self, read):
        with pytest.raises(TypeError, match="`path` must be a str or a path"):
            read(3)

    def test_text_named_png(self, tmp_path, read):
        (tmp_path / "notes.png").write_text("not a picture")
        with pytest.raises(ValueError, match=r"notes\.png: not an image that can be read"):
            read(tmp_path / "notes.png")

    def test_an_empty_file(self, tmp_path, read):
        (tmp_path / "x.png").write_bytes(b"")
        with pytest.raises(ValueError, match=r"x\.png: not an image"):
            read(tmp_path / "x.png")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_device(self, read):
        with pytest.raises(ValueError, match="not a regular file"):
            read("/dev/null")

    @pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "npy", "npz"])
    def test_more_pixels_than_allowed(self, tmp_path, read, suffix):
        path = tmp_path / f"x.{suffix}"
        segkit.write_image(path, np.zeros((30, 40), dtype=np.uint8))
        with pytest.raises(ValueError, match=r"30 x 40 pixels, more than the 1199 allowed"):
            read(path, max_pixels=1199)
        assert read(path, max_pixels=1200).shape == (30, 40)
        assert read(path, max_pixels=None).shape == (30, 40)
        with pytest.raises(ValueError, match="`max_pixels` must be an integer >= 1"):
            read(path, max_pixels=0)

    @pytest.mark.parametrize("limit", [None, 2**28])
    def test_a_header_that_promises_too_much(self, tmp_path, read, limit):
        header = {"shape": (1 << 20, 1 << 20), "fortran_order": False, "descr": "<u8"}
        with (tmp_path / "x.npy").open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
        with pytest.raises(ValueError, match=r"x\.npy"):
            read(tmp_path / "x.npy", max_pixels=limit)
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.write(tmp_path / "x.npy", "labels.npy")
        with pytest.raises(ValueError, match=r"x\.npz"):
            read(tmp_path / "x.npz", max_pixels=limit)
        Image.new("1", (8, 8)).save(tmp_path / "x.bmp")
        bitmap = bytearray((tmp_path / "x.bmp").read_bytes())
        bitmap[18:26] = (100_000).to_bytes(4, "little") * 2
        (tmp_path / "x.bmp").write_bytes(bitmap)
        with pytest.raises(ValueError, match=r"x\.bmp"):
            read(tmp_path / "x.bmp", max_pixels=2**28)

    def test_python_objects(self, tmp_path, read):
        np.save(tmp_path / "x.npy", np.array([[{}]], dtype=object), allow_pickle=True)
        with pytest.raises(ValueError, match=r"x\.npy: holds Python objects"):
            read(tmp_path / "x.npy")

    def test_an_archive_of_several_arrays(self, tmp_path, read):
        np.savez(tmp_path / "x.npz", a=np.zeros((2, 2)), b=np.zeros((2, 2)))
        with pytest.raises(ValueError, match=r"x\.npz: not an NPZ file with one array.* a, b"):
            read(tmp_path / "x.npz")

    def test_an_animation(self, tmp_path, read):
        frames = [Image.fromarray(picture((6, 5), np.uint8, seed)) for seed in range(3)]
        frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
        with pytest.raises(ValueError, match=r"x\.gif: holds several frames"):
            read(tmp_path / "x.gif")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tif", "npy", "npz"])
@pytest.mark.parametrize("read", [segkit.read_image, segkit.read_labels])
def test_cut_and_flipped_files_give_an_error_that_names_them(tmp_path, suffix, read):
    path = tmp_path / f"x.{suffix}"
    segkit.write_image(path, picture((20, 30, 3) if suffix != "npz" else (20, 30), np.uint8))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[: rng.integers(len(whole))] for _ in range(30)]
    for _ in range(60):
        flipped = bytearray(whole)
        flipped[rng.integers(min(len(whole), 200))] ^= 1 << rng.integers(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        path.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a flipped bit can make alpha
            try:
                read(path)
                message = path.name
            except (ValueError, OSError) as error:
                message = str(error)
        assert path.name in message
        assert "\n" not in message


@pytest.mark.parametrize("cut", [10, 500, 2500])
def test_a_stack_cut_short_is_not_a_shorter_stack(tmp_path, cut):
    path = tmp_path / "x.tif"
    segkit.write_image(path, picture((4, 30, 31), np.uint16))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=r"x\.tif: damaged"):
        segkit.read_image(path)


def test_labels_are_integers_of_one_channel(tmp_path):
    segkit.write_image(tmp_path / "x.png", picture((5, 4, 3), np.uint8))
    segkit.write_image(tmp_path / "x.tif", np.zeros((5, 4)))
    segkit.write_image(tmp_path / "x.npy", np.full((5, 4), -1))
    for suffix, wrong in (("png", "colors"), ("tif", "float64"), ("npy", "ids >= 0")):
        with pytest.raises(ValueError, match=rf"x\.{suffix}: .*{wrong}"):
            segkit.read_labels(tmp_path / f"x.{suffix}")


def test_writing_refuses_what_a_format_cannot_hold(tmp_path):
    ramp = np.linspace(0, 1, 20).reshape(4, 5)
    with pytest.raises(ValueError, match=r"\.png cannot hold `image` of dtype float64"):
        segkit.write_image(tmp_path / "x.png", ramp)
    with pytest.raises(ValueError, match=r"\.jpg cannot hold `image` of dtype uint16"):
        segkit.write_image(tmp_path / "x.jpg", ramp.astype(np.uint16))
    with pytest.raises(ValueError, match=r"has shape \(2, 3, 4\); write \.tif"):
        segkit.write_image(tmp_path / "x.png", np.zeros((2, 3, 4), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"suffix '\.jpg' is not one of \.png, \.tif"):
        segkit.write_labels(tmp_path / "x.jpg", [[1, 2]])
    with pytest.raises(ValueError, match="suffix '' is not one of"):
        segkit.write_image(tmp_path / "x", ramp)
    with pytest.raises(TypeError, match="`labels` must hold integers"):
        segkit.write_labels(tmp_path / "x.png", ramp)
    with pytest.raises(ValueError, match="`labels` must hold ids >= 0, got -1"):
        segkit.write_labels(tmp_path / "x.png", [[1, -1]])
    with pytest.raises(OSError, match=r"nowhere"):
        segkit.write_labels(tmp_path / "nowhere" / "x.png", [[1, 2]])
    with pytest.raises(OSError, match="is a folder"):
        segkit.write_labels(tmp_path, [[1, 2]])
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    segkit.write_labels(path, [[1, 2]])

    def full_disk(stream, **_):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="No space left"):
        segkit.write_labels(path, [[3, 4]])
    np.testing.assert_array_equal(segkit.read_labels(path), [[1, 2]])
    assert list(tmp_path.iterdir()) == [path]
