"""Made-up data sets of a few small images, on disk in every form that is read.

`WRITERS` holds, by data set and form, what writes one below a folder and returns
the names of its items.  Their truth can be found from the images: regions have
each a color of their own.
"""

import numpy as np
from scipy.io import savemat

import segkit

SHAPE = (24, 36)
COLORS = np.array([(200, 30, 30), (30, 180, 40), (40, 60, 220), (230, 220, 90)], dtype=np.uint8)


def partition(k, shape=SHAPE):
    """Return four blocks, which lie elsewhere for each k: labels 1 to 4."""
    rows, columns = np.indices(shape)
    return (1 + 2 * (rows >= 8 + k) + (columns >= 12 + 2 * k)).astype(np.uint16)


def photo(k, shape=SHAPE):
    """Return a color picture of partition k, with a little noise."""
    noise = np.random.default_rng(k).integers(0, 8, (*shape, 3), dtype=np.uint8)
    return COLORS[partition(k, shape) - 1] + noise


def borders(labels):
    """Return the boundary map of a label image."""
    return segkit.boundaries(labels, mode="inner").astype(np.uint8)


def people(k):
    """Return what three people drew over photo k: four regions, two, and one."""
    whole = partition(k)
    return np.stack([whole, (whole + 1) // 2, np.ones_like(whole)])


def write(path, array):
    """Write an image, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    segkit.write_image(path, array)


def bsds500(root, parts=("train", "val", "test"), n=2):
    folder = root / "bsds500"
    for number, part in enumerate(parts):
        names = [f"{part}{k}" for k in range(n)]
        for k, name in enumerate(names, 10 * number):
            write(folder / "images" / part / f"{name}.jpg", photo(k % 7))
            answers = folder / "ground_truth" / part / f"{name}.npz"
            answers.parent.mkdir(parents=True, exist_ok=True)
            drawn = people(k % 7)
            np.savez_compressed(
                answers, segmentations=drawn, boundaries=np.stack([borders(a) for a in drawn])
            )
        (folder / f"{part}.txt").write_text("\n".join(names) + "\n")
    return [f"test{k}" for k in range(n)]


def bsds500_mat(root):
    folder = root / "BSR" / "BSDS500" / "data"
    for number, part in enumerate(("train", "val", "test")):
        for k in range(2):
            write(folder / "images" / part / f"{part}{k}.jpg", photo(number + k))
            (folder / "images" / part / "Thumbs.db").touch()
            cells = np.empty((1, 3), dtype=object)
            for person, drawn in enumerate(people(number + k)):
                cells[0, person] = {"Segmentation": drawn, "Boundaries": borders(drawn) != 0}
            answers = folder / "groundTruth" / part / f"{part}{k}.mat"
            answers.parent.mkdir(parents=True, exist_ok=True)
            savemat(answers, {"groundTruth": cells}, do_compression=k == 0)
    return ["test0", "test1"]


def classes(k):
    """Return classes as CamVid numbers them: 0 to 3, and 11 in a corner."""
    values = (partition(k) - 1).astype(np.uint8)
    values[:3, :4] = 11
    return values


def camvid(root):
    folder = root / "camvid"
    for number, part in enumerate(("train", "val", "test")):
        for k in range(2):
            write(folder / "images" / part / f"{part}{k}.jpg", photo(number + k))
            write(folder / "annotations" / part / f"{part}{k}.png", classes(number + k))
        (folder / f"{part}.txt").write_text(f"{part}0\n{part}1\n")
    return ["test0", "test1"]


def camvid_segnet(root):
    folder = root / "CamVid"
    for number, part in enumerate(("train", "val", "test")):
        lines = []
        for k in range(2):
            write(folder / part / f"{part}{k}.png", photo(number + k))
            write(folder / f"{part}annot" / f"{part}{k}.png", classes(number + k))
            where = "/SegNet/CamVid/"
            lines.append(f"{where}{part}/{part}{k}.png {where}{part}annot/{part}{k}.png\n")
        (folder / f"{part}.txt").write_text("".join(lines))
    return ["test0", "test1"]


def nuclei(k):
    """Return two bright objects on a dark ground, one much darker than the other."""
    truth = np.zeros(SHAPE, dtype=np.uint16)
    truth[4 : 12 + k, 5:14] = 1
    truth[9:19, 20 + k : 32] = 2
    return truth


def dsb2018(root):
    folder = root / "dsb2018_nuclei"
    rows = ["name,group,height,width,channels,n_objects,source_id"]
    for k in range(4):
        truth = nuclei(k)
        image = np.array([12, 220, 140], dtype=np.uint8)[truth]
        write(folder / "images" / f"n{k}.png", np.dstack([image] * 3) if k == 3 else image)
        write(folder / "masks" / f"n{k}.png", truth)
        rows.append(f"n{k},{'fluo' if k else 'bright'},24,36,1,2,x")
    (folder / "index.csv").write_text("\n".join(rows) + "\n")
    return ["n1", "n3"]


def seeds50(root):
    folder = root / "seeds50"
    for k in range(4):
        truth = (nuclei(k) == 1).astype(np.uint8)
        image = np.array([(40, 60, 50), (220, 180, 40)], dtype=np.uint8)[truth]
        truth[:, 0] = 255
        strokes = np.zeros(SHAPE, dtype=np.uint8)
        strokes[7, 7:11] = 1
        strokes[21, 3:30] = 2
        write(folder / "images" / f"s{k}.jpg", image)
        for name, array in (
            ("ground_truth", truth), ("scribbles_1", strokes), ("scribbles_2", strokes),
        ):  # fmt: skip
            write(folder / name / f"s{k}.png", array)
    (folder / "index.txt").write_text("s2\ns0\ns1\ns3\n")
    return ["s1", "s3"]


def isbi2012(root):
    from PIL import Image

    folder = root / "isbi2012_em"
    (folder / "interior").mkdir(parents=True)
    for k in range(4):
        inside = borders(partition(k)) == 0
        write(folder / "images" / f"{k:02}.png", np.where(inside, 190, 40).astype(np.uint8))
        Image.fromarray(inside).save(folder / "interior" / f"{k:02}.png")
    return ["01", "03"]


def cells(n_planes):
    """Return a volume of four cells and its pieces, two for each cell."""
    bodies = np.stack([partition(k % 3) for k in range(n_planes)])
    pieces = 2 * bodies - (np.arange(SHAPE[0]) % 12 < 6)[:, np.newaxis]
    return bodies, pieces.astype(np.uint16)


def fib25(root, n_planes=60):
    folder = root / "fib25_em"
    folder.mkdir(parents=True)
    bodies, pieces = cells(n_planes)
    bodies[0, 0, 0] = 0
    image = np.where(np.stack([borders(plane) for plane in bodies]), 60, 180).astype(np.uint8)
    np.savez_compressed(
        folder / f"z000-{n_planes - 1:03}.npz", image=image, bodies=bodies, supervoxels=pieces,
        spacing_nm=np.full(3, 10, dtype=np.float32),
    )  # fmt: skip
    return [f"z050-{n_planes - 1:03}"]


def _structures(folder, names, shape, numbers):
    folder.mkdir(parents=True)
    for k, name in enumerate(names):
        label = np.zeros(shape, dtype=np.uint8)
        label[..., 5 + k : 12, 6:15] = numbers[0]
        label[..., 12:18, 6:15] = numbers[1]
        image = label * 3.5 + k
        np.savez_compressed(
            folder / f"{name}.npz", image=image.astype(np.float32), label=label,
            spacing=np.ones(len(shape), dtype=np.float32),
        )  # fmt: skip
    return names[1::2]


def hippocampus(root):
    names = ["hippocampus_001", "hippocampus_004", "hippocampus_009"]
    return _structures(root / "msd_hippocampus", names, (8, *SHAPE), (1, 2))


def oasis_trt20(root):
    names = [f"OASIS-TRT-20-{k}" for k in (1, 11, 2, 7)]
    folder = root / "oasis_trt20_slices"
    listed = _structures(folder, names, SHAPE, (10, 49))
    (folder / "label_names.csv").write_text(
        "label,name,subjects\n0,unlabelled,20\n10,left thalamus,20\n49,right thalamus,20\n"
    )
    np.savez(folder / "template.npz", image=np.zeros(SHAPE), mask=np.zeros(SHAPE))
    return listed


def brain3d(root):
    _structures(root / "brain3d", ["brain3d"], (8, *SHAPE), (2, 41))
    return ["brain3d"]


WRITERS = {
    ("bsds500", "arrays"): bsds500,
    ("bsds500", "MATLAB"): bsds500_mat,
    ("camvid", "arrays"): camvid,
    ("camvid", "SegNet"): camvid_segnet,
    ("dsb2018", "arrays"): dsb2018,
    ("seeds50", "arrays"): seeds50,
    ("isbi2012", "arrays"): isbi2012,
    ("fib25", "arrays"): fib25,
    ("hippocampus", "arrays"): hippocampus,
    ("oasis_trt20", "arrays"): oasis_trt20,
    ("brain3d", "arrays"): brain3d,
}
