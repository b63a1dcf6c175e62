"""Random fields: neighbors like to be of one class.

Run ``python demos/random_field.py``; the picture goes to demos/out/.
"""

import numpy as np
import sheet
from scipy.ndimage import gaussian_filter
from skimage import data

import segkit
from segkit import plot

SOLVERS = ("icm", "mean_field", "graph_cut")


def painted():
    """Return the classes 1 to 4 of a drawn landscape, and an image of it with much noise."""
    rows, columns = np.mgrid[0:180, 0:240]
    rng = np.random.default_rng(1)
    hills = gaussian_filter(rng.normal(size=rows.shape), 22)
    truth = 1 + (hills > np.quantile(hills, 0.4)) + (hills > np.quantile(hills, 0.75))
    for row, column, radius in ((50, 60, 26), (125, 170, 34), (140, 50, 17)):
        truth[np.hypot(rows - row, columns - column) < radius] = 4
    for row, column, radius in ((50, 60, 11), (125, 170, 15)):
        truth[np.hypot(rows - row, columns - column) < radius] = 1
    truth[(np.abs(columns - 0.7 * rows - 100) < 4) & (rows < 90)] = 4
    image = 30 + 50 * truth + rng.normal(scale=45, size=truth.shape)
    return truth, np.clip(image, 0, 255).astype(np.uint8)


def in_colors(labels):
    """Return a picture of classes, the same color for the same class everywhere."""
    palette = np.array(
        [[255, 255, 255], [38, 70, 83], [42, 157, 143], [233, 196, 106], [231, 111, 81]]
    )
    return palette[labels].astype(np.uint8)


def judged(name, labels, truth):
    return f"{name}: {np.mean(labels != truth):.1%} wrong", in_colors(labels)


def from_noise():
    """Classes found without examples, alone and as a field."""
    truth, image = painted()
    first = [("four classes, drawn", in_colors(truth)), ("the image", image)]
    for name, found in (
        ("mixture, each pixel alone", segkit.GaussianMixtureSegmenter(4)),
        ("hidden Markov chain", segkit.HiddenMarkovChainSegmenter(4)),
    ):
        first.append(judged(name, found.fit_predict(image), truth))
    second = []
    for solver in SOLVERS:
        field = segkit.MarkovRandomFieldSegmenter(4, beta=1.2, solver=solver)
        second.append(judged(solver, field.fit_predict(image), truth))
    second.append(("the energy, round by round", valleys))
    return [
        (
            "Classes found in noise",
            "Gaussian classes overlap so much that most pixels are in doubt. A chain asks the "
            "neighbors on a path through all pixels.",
            first,
        ),
        (
            "The same classes as a hidden Markov random field",
            "A field asks all neighbors, and so finds means and deviations that fit better. "
            "Three ways to settle it, with beta=1.2; ICM stops in the nearest valley.",
            second,
        ),
    ]


def known_classes():
    """Return the truth, and the probabilities of classes whose means are known."""
    truth, image = painted()
    distance = image[..., np.newaxis] - (30.0 + 50 * np.arange(1, 5))
    return truth, np.exp(-0.5 * (distance / 45) ** 2)


def strengths():
    """Draw what beta does."""
    truth, proba = known_classes()
    panels = []
    for beta in (0.3, 0.6, 1.2, 4):
        labels = segkit.regularize(proba, beta=beta, solver="graph_cut")
        panels.append(judged(f"beta={beta}", labels, truth))
    return (
        "How strongly neighbors are believed",
        "regularize smooths the probabilities of any classifier. Low beta leaves noise, "
        "high beta loses what is thin.",
        panels,
    )


def valleys(axes):
    """Draw the energy after each round of each solver."""
    _, proba = known_classes()
    for solver, name in zip(SOLVERS, ("ICM", "mean field", "graph cut"), strict=True):
        rounds = np.arange(1, 9)
        energy = [
            segkit.potts_energy(
                segkit.regularize(proba, beta=1.2, solver=solver, max_iter=n, tol=0),
                proba,
                beta=1.2,
            )
            for n in rounds
        ]
        axes.plot(rounds, np.array(energy) / 1000, marker="o", markersize=4, label=name)
    axes.set_xlabel("sweeps, or rounds over all classes", size=9)
    axes.set_ylabel("energy (1000 nats)", size=9)
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=9, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    place = axes.get_position()
    axes.set_position(
        [place.x0 + 0.2 * place.width, place.y0 + 0.17 * place.height,
         0.76 * place.width, 0.78 * place.height]
    )  # fmt: skip


valleys.shape = (180, 240)


def along_edges():
    """Let boundaries run along the contrast of a photograph."""
    image = data.camera()[20:320, 100:400]
    noisy = np.clip(image + np.random.default_rng(0).normal(scale=40, size=image.shape), 0, 255)
    dark = 1 / (1 + np.exp((noisy - 75) / 22))
    proba = np.stack([1 - dark, dark], axis=-1)
    smooth = gaussian_filter(noisy, 1.2)
    panels = [("a photograph with noise", noisy.astype(np.uint8))]
    for title, arguments in (
        ("beta=0", {"beta": 0}),
        ("beta=3", {"beta": 3}),
        ("beta=6, image=...: along contrast", {"beta": 6, "image": smooth, "sigma": 12}),
    ):
        labels = segkit.regularize(proba, solver="graph_cut", connectivity=2, **arguments)
        panels.append((title, plot.overlay(image, labels == 2, alpha=0.45)))
    return (
        "Boundaries along the contrast of an image",
        "Dark or bright, cut in two: the cheapest boundary of all. With image=..., a boundary "
        "is cheap where gray levels change, and thin things stay.",
        panels,
    )


def main():
    path = sheet.out_path(__doc__.splitlines()[0], "random_field")
    rows = [*from_noise(), strengths(), along_edges()]
    sheet.save(sheet.draw_sheet(rows), path)


if __name__ == "__main__":
    main()
