"""Classes from scribbles: a few strokes on a photograph, and the nearest neighbors of each pixel.

Run ``python demos/knn_scribbles.py``; the picture goes to demos/out/. It needs scikit-learn.
"""

import cv2
import numpy as np
import sheet
from matplotlib.colors import LinearSegmentedColormap
from skimage import data
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import segkit
from segkit import plot

# Points (column, row) of the strokes of each class.
STROKES = {
    "table": [
        [(15, 20), (60, 15)], [(110, 70), (20, 140), (60, 230)], [(40, 330), (140, 385)],
        [(390, 20), (450, 60), (560, 120), (575, 230)], [(520, 320), (430, 385)],
        [(235, 12), (165, 62)], [(230, 396), (320, 396)],
    ],
    "red china": [
        [(110, 150), (120, 230), (180, 310), (280, 345)], [(430, 150), (440, 240), (380, 340)],
        [(200, 185), (240, 230), (225, 280)], [(330, 220), (290, 260)],
    ],
    "white china": [
        [(190, 110), (195, 150), (250, 190), (330, 190)], [(230, 60), (300, 45), (370, 90)],
        [(385, 70), (398, 110), (380, 160)],
    ],
    "coffee": [[(240, 130), (300, 165), (340, 140)], [(255, 108), (310, 108)]],
    "spoon": [
        [(345, 280), (370, 300), (395, 270)], [(412, 80), (412, 92)], [(380, 228), (385, 214)],
    ],
}  # fmt: skip
SIZE = (360, 240)
LAB = {"features": ("lab", "position"), "channel_axis": -1}


def scribbled():
    """Return a photograph and its strokes: 1 to 5, 0 where nobody drew."""
    image = data.coffee()
    strokes = np.zeros(image.shape[:2], dtype=np.uint8)
    small = cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)
    for label, lines in enumerate(STROKES.values(), 1):
        for line in lines:
            cv2.polylines(strokes, [np.array(line, np.int32)], False, label, thickness=6)
    strokes = cv2.resize(strokes, SIZE, interpolation=cv2.INTER_NEAREST)
    return small, strokes.astype(np.int32)


def seen(image, labels, alpha=0.55):
    """Return the classes in color over the photograph."""
    return plot.overlay(image, labels, alpha=alpha)


def share(proba, column):
    """Return the share of a class in the votes as a picture, white to blue."""
    ramp = LinearSegmentedColormap.from_list("votes", ["white", "#9cc5e8", "#08306b"])
    return (255 * ramp(proba[..., column])[..., :3]).astype(np.uint8)


def the_idea():
    """Show strokes, what classes they lead to, and how sure these are."""
    image, strokes = scribbled()
    knn = segkit.KNNSegmenter(25, **LAB).fit(image, strokes)
    proba = knn.predict_proba(image)
    drawn = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.int32)
    return (
        "A few strokes name the classes",
        f"{knn.n_samples_} pixels of {strokes.size} are marked: table, china, coffee, spoon. "
        "Every other pixel gets the class that most of its 25 most similar ones have.",
        [
            ("strokes", seen(image, drawn, alpha=1)),
            ("classes", seen(image, knn.predict(image))),
            ("share of red china in the votes", share(proba, 1)),
            ("share of coffee", share(proba, 3)),
        ],
    )


def features():
    """Say what similar means."""
    image, strokes = scribbled()
    panels = []
    for title, names in (
        ("gray levels", None),
        ("red, green, blue", ("intensity",)),
        ("lab and position", ("lab", "position")),
        ("the same, and smooth", ("lab", "position", "smooth")),
    ):
        if names is None:
            gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            labels = segkit.KNNSegmenter(25).fit(gray, strokes).predict(gray)
        else:
            knn = segkit.KNNSegmenter(25, features=names, channel_axis=-1, sigmas=(2, 4))
            labels = knn.fit(image, strokes).predict(image)
        panels.append((title, seen(image, labels)))
    return (
        "What pixels are compared by",
        "Gray levels alone tell coffee from table no better than shade from shade. Position lets "
        "what is near a stroke count for more.",
        panels,
    )


def neighbors():
    """Let more and more vote, and add the field."""
    image, strokes = scribbled()
    panels = []
    for k in (1, 25, 201):
        knn = segkit.KNNSegmenter(k, **LAB).fit(image, strokes)
        panels.append((f"k = {k}", seen(image, knn.predict(image))))
    knn = segkit.KNNSegmenter(25, **LAB).fit(image, strokes)
    smoothed = segkit.regularize(
        knn.predict_proba(image), beta=8, solver="graph_cut", image=image, channel_axis=-1,
        floor=0.1,
    )  # fmt: skip
    panels.append(("k = 25, then regularize", seen(image, smoothed)))
    return (
        "How many neighbors vote",
        "One neighbor repeats every accident of the strokes; very many let the longest stroke win. "
        "A random field on the votes removes what is left of the speckle.",
        panels,
    )


def classifiers():
    """Put others in the same place."""
    image, strokes = scribbled()
    scaled = StandardScaler()
    panels = []
    for title, estimator in (
        ("logistic regression", make_pipeline(scaled, LogisticRegression(max_iter=500))),
        ("support vector machine", make_pipeline(scaled, SVC(C=10))),
        ("multilayer perceptron", make_pipeline(
            scaled, MLPClassifier((20,), max_iter=300, random_state=0, tol=1e-3))),
        ("random forest", RandomForestClassifier(50, random_state=0)),
    ):  # fmt: skip
        classifier = segkit.PixelClassifier(estimator, max_samples=2000, **LAB)
        labels = classifier.fit(image, strokes).predict(image)
        panels.append((title, seen(image, labels)))
    return (
        "Any classifier of scikit-learn in the same place",
        "PixelClassifier(estimator): the same strokes, the same features, 2000 pixels of them.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "knn_scribbles")
    rows = [the_idea(), features(), neighbors(), classifiers()]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
