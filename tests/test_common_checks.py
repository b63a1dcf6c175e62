"""Scikit-learn's common checks, on the one image that looks like its tables: a row of pixels.

With channel_axis=-1 a table of samples is a one-dimensional image, its columns the
channels.  What an adaptor changes is the second argument of `fit`: scikit-learn's `y`
is numbers that may be 0, or nothing that an unsupervised method should look at; ours
is an annotation, where 0 is not annotated, or a mask.  FAILING lists the checks that
are not passed, and why; one of them that is passed is a failure, too.
"""

import warnings
from functools import partial

import numpy as np
import pytest

import segkit

generator = pytest.importorskip("sklearn.utils.estimator_checks").estimator_checks_generator


class Unsupervised:
    """A segmenter that is given, and leaves alone, what `y` is."""

    def fit(self, image, y=None):
        return super().fit(image)

    def fit_predict(self, image, y=None):
        return super().fit_predict(image)


class Supervised:
    """A segmenter that learns from `y`, every number a class."""

    def fit(self, image, y):
        classes = np.unique(y, return_inverse=True)[1]
        return super().fit(image, 1 + classes.reshape(np.shape(y)))


class KMeansSegmenter(Unsupervised, segkit.KMeansSegmenter):
    pass


class GaussianMixtureSegmenter(Unsupervised, segkit.GaussianMixtureSegmenter):
    pass


class MarkovRandomFieldSegmenter(Unsupervised, segkit.MarkovRandomFieldSegmenter):
    pass


class HiddenMarkovChainSegmenter(Unsupervised, segkit.HiddenMarkovChainSegmenter):
    pass


class KNNSegmenter(Supervised, segkit.KNNSegmenter):
    pass


class PixelClassifier(Supervised, segkit.PixelClassifier):
    pass


WORDS = "refused as it must be, in other words: ours name `image` and speak of pixels"
DTYPE = "refused as it must be, but a wrong dtype is a TypeError here"
FIELD = "a pixel's class depends on its neighbors, so an image is more than a set of pixels"

FAILING = {  # check -> what it raises, why, and for which; for all if none is named
    "check_n_features_in_after_fitting": (AssertionError, WORDS),
    "check_estimators_empty_data_messages": (AssertionError, WORDS),
    "check_fit2d_predict1d": (AssertionError, WORDS),
    "check_fit2d_1sample": (
        AssertionError, WORDS, KMeansSegmenter, GaussianMixtureSegmenter,
        MarkovRandomFieldSegmenter, HiddenMarkovChainSegmenter,
    ),
    "check_complex_data": (TypeError, DTYPE),
    "check_dtype_object": (TypeError, DTYPE),
    "check_methods_sample_order_invariance": (
        AssertionError, FIELD, MarkovRandomFieldSegmenter, HiddenMarkovChainSegmenter,
    ),
    "check_methods_subset_invariance": (
        AssertionError, FIELD, MarkovRandomFieldSegmenter, HiddenMarkovChainSegmenter,
    ),
}  # fmt: skip


def estimators():
    from sklearn.tree import DecisionTreeClassifier

    last = {"channel_axis": -1}
    return [
        KMeansSegmenter(2, **last),
        GaussianMixtureSegmenter(2, **last),
        MarkovRandomFieldSegmenter(2, **last),
        HiddenMarkovChainSegmenter(2, **last),
        KNNSegmenter(1, **last),
        PixelClassifier(DecisionTreeClassifier(random_state=0), **last),
    ]


def name_of(check):
    return (check.func if isinstance(check, partial) else check).__name__


def cases():
    for estimator in estimators():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* does not inherit from")
            checks = list(generator(estimator))
        for one, check in checks:
            name, marks = name_of(check), []
            if name in FAILING:
                error, reason, *only = FAILING[name]
                if not only or type(estimator) in only:
                    marks = [pytest.mark.xfail(raises=error, reason=reason, strict=True)]
            yield pytest.param(one, check, marks=marks, id=f"{type(estimator).__name__}-{name}")


@pytest.mark.parametrize(("estimator", "check"), list(cases()))
def test_common_check(estimator, check):
    check(estimator)


def test_every_segmenter_is_checked_and_every_reason_is_needed():
    checked = {name_of(case.values[1]) for case in cases()}
    assert set(FAILING) <= checked
    assert len(checked) > 30
    assert {type(one).__name__ for one in estimators()} == {
        name for name in segkit.__all__ if hasattr(getattr(segkit, name), "get_params")
    }
