"""Networks for nuclei: trained from nothing or from another task, with few images or all.

python -m benchmarks networks DATA --out DIR

DATA is the folder that holds dsb2018_nuclei. Each network learns three classes of pixels: ground,
the inside of nuclei, and their borders, without which nuclei that touch would be one. segkit's
watershed makes instances of its probabilities: insides that are connected are markers, and
the water rises where inside gets less likely. All networks take as many steps, whatever the number
of images, so that fewer images are not less training too.

Half of the images (the second, fourth, ... in order of their names) are for testing and are seen
by none; of the other half every fifth image is for validation, which chooses the epoch and at which
probabilities a nucleus starts and ends.
"""

import itertools
import json
import time
from pathlib import Path

import numpy as np

import segkit
from segkit import datasets, plot, training

CLASSES = ("ground", "inside", "border")
GROUND, INSIDE, BORDER = 1, 2, 3
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
CROP = 128
MIN_SIZE = 20  # pixels of the smallest nucleus
PLAN = {
    "batch_size": 4,
    "optimizer": "adam",
    "decay": "step",
    "decay_rate": 0.3,
    # Borders count more, for they are few; as much as they are rare would make them too thick.
    "class_weights": (1, 1, 3),
    "augmentation": {
        "crop": (CROP, CROP),
        "scale": (0.6, 1.6),
        "brightness": 0.1,
        "contrast": 0.5,
        "noise": 0.02,
    },
}
EPOCH = 200  # crops between two looks at the validation images
FRACTIONS = (10, 25, None)  # images to learn from; None: all
STARTS = (0.3, 0.5, 0.7, 0.9)  # the probabilities of inside above which a nucleus may start
ENDS = (0.05, 0.1, 0.2, 0.3, 0.5)  # and those of ground at which it may end
PUBLISHED = (  # at 0.5, on another subset, for orientation (Schmidt et al. 2018)
    ("StarDist", 0.864),
    ("U-Net, 3 classes", 0.806),
    ("U-Net, 2 classes", 0.674),
)


def prepared(image):
    """Return an image of three channels whose means are 0 and deviations 1."""
    if image.ndim == 2:
        image = np.stack([image] * 3, axis=-1)
    return training.whiten(image, channel_axis=-1)


def annotation(instances):
    """Return the class of each pixel: borders are two pixels wide, one on each side."""
    classes = np.where(instances > 0, INSIDE, GROUND)
    edge = segkit.boundaries(instances, mode="thick") & (instances > 0)
    classes[edge] = BORDER
    return classes


def instances(probabilities, start, end):
    """Return nuclei from the probabilities of the three classes."""
    ground, inside = probabilities[..., 0], probabilities[..., 1]
    markers = segkit.remove_small(segkit.connected_components(inside > start), MIN_SIZE)
    grown = segkit.watershed(1 - inside, markers, mask=ground < end)
    return segkit.remove_small(grown, MIN_SIZE)


def precision(found, truths):
    """Return the average precision at each level, the mean over images."""
    each = [
        segkit.metrics.average_precision(truth, labels, iou=list(LEVELS))
        for labels, truth in zip(found, truths, strict=True)
    ]
    return np.mean(each, axis=0)


def thresholds(network, items):
    """Return where nuclei start and end, as is best for validation images over all levels."""
    maps = [network.predict_proba(prepared(item.image)) for item in items]
    truths = [item.truth for item in items]
    return max(
        itertools.product(STARTS, ENDS),
        key=lambda pair: precision([instances(each, *pair) for each in maps], truths).mean(),
    )


def row(name, n_images, levels, **more):
    """Return a row of the table."""
    return {"method": name, "images": n_images, "precision": levels.round(4).tolist(), **more}


def from_nothing(images, annotations, held, epochs, checkpoint):
    """Train a U-Net."""
    model = training.unet(len(CLASSES), width=16, depth=3)
    return training.fit(
        model, images, annotations, validation=held, mean=[0] * 3, std=[1] * 3, epochs=epochs,
        learning_rate=2e-3, decay_every=max(1, epochs // 3), checkpoint=checkpoint,
        channel_axis=-1, progress=True, **PLAN,
    )  # fmt: skip


def transferred(arrays):
    """Return what teaches ESPNet, trained on road scenes, nuclei."""

    def train(images, annotations, held, epochs, checkpoint):
        model = training.adapt(training.espnet(arrays=arrays), len(CLASSES))
        first = epochs // 3
        return training.fine_tune(
            model, images, annotations, validation=held, mean=[0] * 3, std=[255] * 3,
            epochs=first, unfrozen_epochs=epochs - first, unfrozen_rate=0.25, learning_rate=2e-3,
            decay_every=max(1, epochs // 3), checkpoint=checkpoint, channel_axis=-1, progress=True,
            **PLAN,
        )  # fmt: skip

    return train


def run(data, out, steps):
    """Yield a row for each network and number of images; what is there is not trained again."""
    out.mkdir(parents=True, exist_ok=True)
    learn = list(datasets.open("dsb2018", data, split="train"))
    test = list(datasets.open("dsb2018", data, split="test"))
    truths = [item.truth for item in test]
    kept = learn[2::5]
    learn = [item for k, item in enumerate(learn) if k % 5 != 2]
    held = pairs(kept)
    images, annotations = pairs(learn)
    found = [segkit.segment(item.image, "nuclei", channel_axis=axis(item.image)) for item in test]
    yield row("threshold and watershed (nuclei)", 0, precision(found, truths))
    with np.load(data / "espnet_camvid" / "weights.npz", allow_pickle=False) as weights:
        arrays = dict(weights)
    for n_images in FRACTIONS:
        n = len(learn) if n_images is None else n_images
        chosen = np.linspace(0, len(learn) - 1, n).round().astype(int)
        # An epoch is as long for few images: each is shown several times, as different crops.
        shown = np.tile(chosen, -(-EPOCH // n))[:EPOCH]
        epochs = -(-steps * PLAN["batch_size"] // EPOCH)
        for name, train in (
            ("U-Net from nothing", from_nothing),
            ("ESPNet, encoder transferred", transferred(arrays)),
        ):
            stem = f"{name.split(',')[0].replace(' ', '-')}-{n}"
            done = out / f"{stem}.json"
            if not done.exists():
                start = time.process_time()
                trained = train(
                    [images[k] for k in shown], [annotations[k] for k in shown], held, epochs,
                    out / f"{stem}.npz",
                )  # fmt: skip
                plot.learning_curve(trained).savefig(out / f"{stem}.png", dpi=110)
                training.export_onnx(trained.model, out / f"{stem}.onnx")
                facts = {
                    "seconds": round(time.process_time() - start),
                    "epoch": trained.best_epoch + 1,
                    "std": trained.std.tolist(),
                }
                done.write_text(json.dumps(facts))
            facts = json.loads(done.read_text())
            network = segkit.CNNSegmenter(
                out / f"{stem}.onnx", class_names=CLASSES, mean=[0] * 3, std=facts.pop("std")
            )
            start, end = thresholds(network, kept)
            found = [
                instances(network.predict_proba(prepared(item.image)), start, end) for item in test
            ]
            yield row(name, n, precision(found, truths), start=start, end=end, **facts)


def pairs(items):
    """Return prepared images and the classes of their pixels."""
    return [prepared(i.image) for i in items], [annotation(i.truth) for i in items]


def axis(image):
    """Return the axis of channels."""
    return -1 if image.ndim == 3 else None


def table(rows):
    """Return the rows in Markdown, and what was published."""
    head = ["method", "images", *(f"AP {level}" for level in LEVELS), "training (CPU s)"]
    lines = ["| " + " | ".join(head) + " |", "| --- | ---: " + "| ---: " * 6 + "|"]
    for each in rows:
        cells = [each["method"], str(each["images"] or "")]
        cells += [f"{value:.3f}" for value in each["precision"]]
        cells += [str(each.get("seconds", ""))]
        lines.append("| " + " | ".join(cells) + " |")
    empty = [""] * len(LEVELS)
    lines += [
        "| " + " | ".join([f"*{name}, published*", "", f"{value:.3f}", *empty]) + " |"
        for name, value in PUBLISHED
    ]
    return "\n".join(lines) + "\n"


def main(data, out, steps):
    """Train, score, print the table and write it."""
    import torch

    torch.set_num_threads(1)  # the same sums everywhere
    rows = []
    for each in run(Path(data), Path(out), steps):
        rows.append(each)
        print(json.dumps(each), flush=True)
    text = table(rows)
    (Path(out) / "networks.md").write_text(text)
    print(text)
