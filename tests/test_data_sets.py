"""Data sets on disk: every form is read, by the conventions, and damage is told by its file."""

import pickle
import shutil

import numpy as np
import pytest

from segkit import datasets
from segkit._dataset_forms import FORMS
from tests import tiny_data

ALL = list(tiny_data.WRITERS)
SIZES = {  # of the shared copies: train, val, test; or train, test
    "bsds500": {"train": 200, "val": 100, "test": 160, "all": 460},
    "camvid": {"train": 367, "val": 101, "test": 193, "all": 661},
    "dsb2018": {"train": 37, "test": 36, "all": 73},
    "seeds50": {"train": 17, "test": 17, "all": 34},
    "isbi2012": {"train": 10, "test": 10, "all": 20},
    "fib25": {"train": 1, "test": 1, "all": 1},
    "hippocampus": {"train": 25, "test": 25, "all": 50},
    "oasis_trt20": {"train": 7, "test": 6, "all": 13},
    "brain3d": {"test": 1, "all": 1},
}


def opened(name, form, root):
    """Write a tiny data set and open it; return it and the names it must have."""
    names = tiny_data.WRITERS[name, form](root)
    return datasets.open(name, root), names


def truths_of(item):
    return item.truth if isinstance(item.truth, list) else [item.truth]


@pytest.mark.parametrize(("name", "form"), ALL)
def test_items_unpack_into_name_image_and_truth(tmp_path, name, form):
    dataset, names = opened(name, form, tmp_path)
    assert len(dataset) == len(names)
    assert dataset.names == names
    assert dataset.kind in datasets.KINDS
    seen = []
    for item_name, image, truth in dataset:
        seen.append(item_name)
        for labels in truth if isinstance(truth, list) else [truth]:
            assert labels.dtype == np.int32
            assert labels.shape == image.shape[: labels.ndim]
    assert seen == names


@pytest.mark.parametrize(("name", "form"), ALL)
def test_items_have_the_kind_and_the_extras_of_their_data_set(tmp_path, name, form):
    dataset, _ = opened(name, form, tmp_path)
    item = dataset[0]
    assert item.kind == dataset.kind
    assert (item.boundaries is not None) == (name == "bsds500")
    assert (item.scribbles is not None) == (name == "seeds50")
    assert (item.supervoxels is not None) == (name == "fib25")
    assert (item.group is not None) == (name == "dsb2018")
    assert item.channel_axis == (-1 if item.image.shape[-1] == 3 else None)
    if item.spacing is not None:
        assert len(item.spacing) == truths_of(item)[0].ndim
    if dataset.class_names and name != "brain3d":
        assert set(np.unique(item.truth)) - {0} <= set(dataset.class_names)


@pytest.mark.parametrize(("name", "form"), ALL)
def test_the_folder_itself_or_the_one_that_holds_it(tmp_path, name, form):
    dataset, names = opened(name, form, tmp_path)
    image = dataset[0].image
    folder = next(path for f in FORMS[name] if (path := f.folder(tmp_path)) is not None)
    inner = datasets.open(name, str(folder), split="test")
    assert inner.names == names
    np.testing.assert_array_equal(inner[0].image, image)


@pytest.mark.parametrize(("name", "form"), ALL)
def test_it_is_a_sequence(tmp_path, name, form):
    dataset, names = opened(name, form, tmp_path)
    np.testing.assert_array_equal(dataset[-1].image, dataset[names[-1]].image)
    assert isinstance(dataset[:1], datasets.Dataset)
    assert dataset[:1].names == names[:1]
    assert dataset[::-1].names == names[::-1]
    with pytest.raises(IndexError):
        dataset[len(names)]
    with pytest.raises(KeyError, match="has no image 'nobody'"):
        dataset["nobody"]
    assert names[0] in dataset
    assert "nobody" not in dataset
    assert name in repr(dataset)


@pytest.mark.parametrize(("name", "form"), ALL)
def test_it_travels_to_other_processes_without_its_pixels(tmp_path, name, form):
    dataset, _ = opened(name, form, tmp_path)
    packed = pickle.dumps(dataset)
    assert len(packed) < 10_000
    np.testing.assert_array_equal(pickle.loads(packed)[0].image, dataset[0].image)


@pytest.mark.parametrize(("name", "form"), ALL)
def test_splits_do_not_overlap_and_all_has_each_item(tmp_path, name, form):
    opened(name, form, tmp_path)
    splits = FORMS[name][0].splits
    parts = [datasets.open(name, tmp_path, split=split).names for split in splits[:-1]]
    together = [each for part in parts for each in part]
    assert len(set(together)) == len(together)
    if name != "fib25":
        assert set(datasets.open(name, tmp_path, split="all").names) == set(together)


def test_both_forms_of_a_data_set_give_the_same(tmp_path):
    for name, forms in (("bsds500", ("arrays", "MATLAB")), ("camvid", ("arrays", "SegNet"))):
        one, two = (opened(name, form, tmp_path / form)[0] for form in forms)
        labels = [truths_of(dataset["test1"]) for dataset in (one, two)]
        assert len(labels[0]) == len(labels[1])
        if name == "camvid":
            np.testing.assert_array_equal(*(each[0] for each in labels))


# What the truth is


def test_bsds500_has_a_label_image_and_a_boundary_map_for_each_person(tmp_path):
    dataset, _ = opened("bsds500", "MATLAB", tmp_path)
    item = dataset[1]
    expected = tiny_data.people(3)
    np.testing.assert_array_equal(np.stack(item.truth), expected)
    for found, drawn in zip(item.boundaries, expected, strict=True):
        assert found.dtype == np.bool_
        np.testing.assert_array_equal(found, tiny_data.borders(drawn) != 0)


def test_camvid_counts_classes_from_1_and_void_is_0(tmp_path):
    dataset, _ = opened("camvid", "SegNet", tmp_path)
    stored = tiny_data.classes(2)
    expected = np.where(stored == 11, 0, stored.astype(int) + 1)
    np.testing.assert_array_equal(dataset[0].truth, expected)
    assert dataset.class_names[1] == "sky"
    assert dataset.class_names[11] == "bicyclist"


def test_older_lists_of_camvid_have_other_names_for_annotations_and_no_line_ends(tmp_path):
    tiny_data.camvid_segnet(tmp_path)
    folder = tmp_path / "CamVid"
    (folder / "testannot" / "test1.png").rename(folder / "testannot" / "testannot_1.png")
    (folder / "test.txt").write_text(
        "/SegNet/CamVid/test/test0.png /SegNet/CamVid/testannot/test0.png "
        "/SegNet/CamVid/test/test1.png /SegNet/CamVid/testannot/testannot_1.png"
    )
    dataset = datasets.open("camvid", tmp_path)
    assert dataset.names == ["test0", "test1"]
    assert dataset[1].truth.max() == 4


def test_seeds50_numbers_the_object_the_ground_and_the_strokes_alike(tmp_path):
    dataset, _ = opened("seeds50", "arrays", tmp_path)
    item = dataset[0]
    assert (item.truth[:, 0] == 0).all(), "undecided"
    assert (item.truth[5:12, 6:13] == 1).all(), "the object"
    assert item.truth[0, 30] == 2, "the background"
    for strokes in item.scribbles:
        assert (item.truth[strokes == 1] == 1).all()
        assert np.isin(item.truth[strokes == 2], (0, 2)).all()


def test_isbi2012_segments_are_connected_and_membranes_are_0(tmp_path):
    dataset, _ = opened("isbi2012", "arrays", tmp_path)
    item = dataset[0]
    assert item.truth.max() == 4
    np.testing.assert_array_equal(item.truth == 0, item.image < 100)


def test_fib25_is_parted_at_plane_50(tmp_path):
    tiny_data.fib25(tmp_path)
    train, test, whole = (
        datasets.open("fib25", tmp_path, split=split)[0] for split in ("train", "test", "all")
    )
    assert (train.name, test.name, whole.name) == ("z000-049", "z050-059", "z000-059")
    for field in ("image", "truth", "supervoxels"):
        joined = np.concatenate([getattr(train, field), getattr(test, field)])
        np.testing.assert_array_equal(joined, getattr(whole, field))
    assert test.spacing == (10, 10, 10)


def test_later_planes_of_fib25_are_all_for_testing(tmp_path):
    tiny_data.fib25(tmp_path)
    folder = tmp_path / "fib25_em"
    (folder / "z000-059.npz").rename(folder / "z150-209.npz")
    assert datasets.open("fib25", tmp_path).names == ["z150-209"]
    with pytest.raises(ValueError, match="nothing of fib25 belongs to the split 'train'"):
        datasets.open("fib25", tmp_path, split="train")


def test_oasis_names_its_structures(tmp_path):
    dataset, _ = opened("oasis_trt20", "arrays", tmp_path)
    assert dataset.class_names == {10: "left thalamus", 49: "right thalamus"}
    assert "template" not in datasets.open("oasis_trt20", tmp_path, split="all").names


@pytest.mark.parametrize("name", ["dsb2018", "seeds50", "bsds500", "camvid"])
def test_without_a_list_the_folder_of_images_tells_the_names(tmp_path, name):
    dataset, names = opened(name, "arrays", tmp_path)
    for path in tmp_path.glob("*/*"):
        if path.suffix in (".txt", ".csv"):
            path.unlink()
    found = datasets.open(name, tmp_path)
    assert found.names == names
    np.testing.assert_array_equal(found[0].image, dataset[0].image)
    assert found[0].group is None


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("imagenet", "."), ValueError, '`name` must be one of "bsds500", "camvid"'),
        ((3, "."), TypeError, "`name` must be one of"),
        (("bsds500", 3), TypeError, "`root` must be a str or a path"),
        (("bsds500", b"."), TypeError, "`root` must be a str or a path"),
        (("bsds500", "nowhere"), FileNotFoundError, "nowhere: there is no such folder"),
        (("bsds500", "."), FileNotFoundError, "bsds500 is not there: neither the folder nor one"),
        (("camvid", "."), FileNotFoundError, r"images and annotations or \*annot"),
    ],
)
def test_wrong_arguments(tmp_path, monkeypatch, arguments, error, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=told):
        datasets.open(*arguments)


@pytest.mark.parametrize("name", list(FORMS))
def test_a_split_that_is_not_known_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="`split` must be one of"):
        datasets.open(name, tmp_path, split="validation")
    with pytest.raises(TypeError, match="`split` must be one of"):
        datasets.open(name, tmp_path, split=None)


def read_all(name, root):
    """Read every item; return the error that says what is wrong, or None."""
    try:
        for _ in datasets.open(name, root, split="all"):
            pass
    except (OSError, ValueError) as error:
        return error
    return None


def data_files(root):
    kinds = (".jpg", ".png", ".npz", ".mat")
    return sorted(path for path in root.rglob("*") if path.suffix in kinds)


def one_of_each(root):
    """Return one file of each folder and kind."""
    files = [path for path in data_files(root) if path.name != "template.npz"]
    return {(path.parent, path.suffix): path for path in files}.values()


LISTED = [key for key in ALL if key[0] in ("bsds500", "camvid", "dsb2018", "seeds50", "isbi2012")]


@pytest.mark.parametrize(("name", "form"), LISTED)
def test_every_missing_file_is_named(tmp_path, name, form):
    tiny_data.WRITERS[name, form](tmp_path)
    for path in one_of_each(tmp_path):
        if "images" in path.parts and (name == "isbi2012" or form == "MATLAB"):
            continue  # without a list the images themselves are the list
        kept = path.read_bytes()
        path.unlink()
        error = read_all(name, tmp_path)
        assert isinstance(error, FileNotFoundError), path
        assert str(path) in str(error)
        path.write_bytes(kept)
    assert read_all(name, tmp_path) is None


@pytest.mark.parametrize(("name", "form"), ALL)
def test_a_file_cut_at_any_byte_is_named_or_gives_the_same(tmp_path, name, form):
    tiny_data.WRITERS[name, form](tmp_path)
    expected = list(datasets.open(name, tmp_path, split="all"))
    for path in one_of_each(tmp_path):
        whole = path.read_bytes()
        for length in np.linspace(0, len(whole) - 5, 9).astype(int):
            path.write_bytes(whole[:length])
            error = read_all(name, tmp_path)
            if error is not None:
                assert isinstance(error, ValueError), (path, length)
                assert str(path) in str(error)
            elif path.suffix != ".jpg":  # of a photograph some pixels may be grey
                found = datasets.open(name, tmp_path, split="all")
                for one, two in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(one.image, two.image)
                    np.testing.assert_array_equal(one.truth, two.truth)
        path.write_bytes(whole)


@pytest.mark.parametrize(("name", "form"), ALL)
def test_a_flipped_bit_gives_an_error_that_names_the_file_or_an_image(tmp_path, name, form):
    tiny_data.WRITERS[name, form](tmp_path)
    generator = np.random.default_rng(0)
    for path in one_of_each(tmp_path):
        whole = path.read_bytes()
        for _ in range(20):
            damaged = bytearray(whole)
            damaged[generator.integers(len(whole))] ^= 1 << generator.integers(8)
            path.write_bytes(damaged)
            error = read_all(name, tmp_path)
            assert error is None or path.stem in str(error), error
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("listing", "text", "told"),
    [
        ("test.txt", "../../etc/passwd\n", r"test.txt: '../../etc/passwd' is not the name"),
        ("test.txt", "/etc/passwd\n", "is not the name of an image"),
        ("test.txt", "..\n", "is not the name of an image"),
        ("test.txt", "\n\n", "test.txt: holds no names of images"),
        ("test.txt", b"\xff\xfe\x00x", "test.txt: damaged: not a text"),
    ],
)
def test_a_list_names_only_what_lies_below(tmp_path, listing, text, told):
    tiny_data.bsds500(tmp_path)
    path = tmp_path / "bsds500" / listing
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=told):
        datasets.open("bsds500", tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/x/test/a.png\n", "test.txt: must hold pairs"),
        ("/x/test/.. /x/testannot/..\n", "is not the name of an image"),
        ("\n", "holds no names"),
    ],
)
def test_a_list_of_pairs_names_only_what_lies_below(tmp_path, text, told):
    tiny_data.camvid_segnet(tmp_path)
    (tmp_path / "CamVid" / "test.txt").write_text(text)
    with pytest.raises(ValueError, match=told):
        datasets.open("camvid", tmp_path)


def test_a_table_without_its_columns_is_named(tmp_path):
    tiny_data.dsb2018(tmp_path)
    (tmp_path / "dsb2018_nuclei" / "index.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"index.csv: must be a table with columns name and group"):
        datasets.open("dsb2018", tmp_path)
    tiny_data.oasis_trt20(tmp_path)
    (tmp_path / "oasis_trt20_slices" / "label_names.csv").write_text("label\nten\n")
    with pytest.raises(ValueError, match=r"label_names.csv: must be a table with columns label"):
        datasets.open("oasis_trt20", tmp_path)


def damage(path, **changed):
    """Replace arrays in an NPZ file; None takes one away."""
    with np.load(path) as held:
        arrays = {name: held[name] for name in held.files} | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("bsds500", {"boundaries": None}, "holds no array 'boundaries'"),
        ("bsds500", {"segmentations": np.ones((2, 3, 4), int)}, "has shape"),
        ("bsds500", {"segmentations": np.ones((3, 4), int)}, "not .people, R, C."),
        ("bsds500", {"segmentations": np.ones((3, 24, 36))}, "a label image holds integers"),
        ("bsds500", {"segmentations": -np.ones((3, 24, 36), int)}, "holds labels outside 0"),
        ("fib25", {"bodies": np.ones((60, 24, 35), int)}, "bodies has shape"),
        ("fib25", {"image": np.ones((6, 24, 36), int)}, "60 or more planes are meant"),
        ("fib25", {"spacing_nm": np.zeros(3)}, "its spacing must be 3 numbers > 0"),
        ("brain3d", {"label": np.ones((8, 24, 35), int)}, "both must have the same 3 sides"),
        ("brain3d", {"image": np.full((8, 24, 36), np.nan)}, "not finite"),
        ("brain3d", {"label": np.array([None])}, "Python objects"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, name, changed, told):
    tiny_data.WRITERS[name, "arrays"](tmp_path)
    path = next(path for path in data_files(tmp_path) if path.suffix == ".npz")
    damage(path, **changed)
    with pytest.raises(ValueError, match=told) as caught:
        list(datasets.open(name, tmp_path, split="all"))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "file", "array", "told"),
    [
        ("camvid", "annotations/test/test0.png", np.full((24, 36), 12), "outside 0..11"),
        ("camvid", "annotations/test/test0.png", np.ones((24, 35)), "has shape"),
        ("seeds50", "ground_truth/s1.png", np.full((24, 36), 7), "other values than 0, 1 and 255"),
        ("seeds50", "scribbles_2/s1.png", np.full((24, 36), 3), "outside 0..2"),
        ("dsb2018", "masks/n1.png", np.ones((9, 9)), "has shape"),
        ("isbi2012", "interior/01.png", np.ones((9, 9)), "has shape"),
        ("bsds500", "images/test/test0.jpg", np.ones((24, 36)), "must be a color picture"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(tmp_path, name, file, array, told):
    tiny_data.WRITERS[name, "arrays"](tmp_path)
    path = next(tmp_path.iterdir()) / file
    tiny_data.write(path, array.astype(np.uint8))
    with pytest.raises(ValueError, match=told) as caught:
        list(datasets.open(name, tmp_path))
    assert str(path) in str(caught.value)


# The shared copies


@pytest.mark.parametrize("name", list(FORMS))
def test_real_data_sets_are_whole(data_root, name):
    for split, size in SIZES[name].items():
        dataset = datasets.open(name, data_root, split=split)
        assert len(dataset) == size, split
        item = dataset[size // 2]
        assert np.ptp(item.image) > 0
        for labels in truths_of(item):
            assert labels.max() >= 1


def test_real_scribbles_of_set_1_agree_with_the_masks(data_root):
    for item in datasets.open("seeds50", data_root, split="all"):
        strokes = item.scribbles[0]
        assert (item.truth[strokes == 1] == 1).all(), item.name
        assert (item.truth[strokes == 2] == 2).all(), item.name


def test_real_nuclei_are_as_many_as_the_table_says(data_root):
    dataset = datasets.open("dsb2018", data_root, split="all")
    assert sum(int(truth.max()) for _, _, truth in dataset) == 2922


def test_nothing_is_written_into_a_stated_folder(tmp_path):
    tiny_data.bsds500(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "bsds500", copy)
    for path in copy.rglob("*"):
        path.chmod(0o555)
    before = sorted(copy.rglob("*"))
    list(datasets.open("bsds500", copy))
    assert sorted(copy.rglob("*")) == before
