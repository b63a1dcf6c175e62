"""Classes learned from the pixels of training images, alone and under a random field."""

from types import MappingProxyType

import numpy as np

from segkit import _class_contenders as contenders


class Streets(list):
    """Images with a sky above a road, and a thing of a third class on it that is seldom."""

    class_names = MappingProxyType({1: "sky", 2: "road", 4: "thing"})


def street(seed):
    generator = np.random.default_rng(seed)
    truth = np.ones((60, 80), dtype=np.int32)
    truth[25 + generator.integers(10) :] = 2
    row, col = generator.integers(38, 48), generator.integers(5, 60)
    truth[row : row + 10, col : col + 14] = 4
    truth[:, :2] = 0
    colors = np.array([[0, 0, 0], [150, 170, 220], [110, 105, 100], [0, 0, 0], [190, 60, 50]])
    image = colors[truth] + generator.normal(0, 40, (60, 80, 3))
    return str(seed), np.clip(image, 0, 255).astype(np.uint8), truth


def test_classes_of_new_images_are_learned_from_others():
    learned = contenders._learn(Streets(street(seed) for seed in range(6)))
    assert learned.knn.classes_.tolist() == [1, 2, 4]
    assert np.isclose(learned.frequency.sum(), 1)
    assert learned.frequency[2] < 0.1
    for seed in (20, 21):
        _, image, truth = street(seed)
        known = truth > 0
        alone = contenders.knn(image, trained=learned)
        field = contenders.knn_field(image, trained=learned, sigma=60, channel_axis=-1)
        assert alone.shape == field.shape == truth.shape
        assert np.mean(alone[known] == truth[known]) > 0.85
        assert np.mean(field[known] == truth[known]) >= np.mean(alone[known] == truth[known])


def test_a_higher_prior_gives_a_rare_class_fewer_pixels():
    learned = contenders._learn(Streets(street(seed) for seed in range(4)))
    image = street(30)[1]
    counts = [
        np.count_nonzero(contenders.knn(image, trained=learned, prior=prior) == 4)
        for prior in (0, 0.5, 1)
    ]
    assert counts[0] >= counts[1] >= counts[2]
    assert counts[0] > counts[2]
