"""Training: the loop by hand on one weight, what stops it and resumes it, what it learns."""

import math

import numpy as np
import pytest

from segkit import _training_loop, plot, training
from segkit._training_data import frequency_weights

torch = pytest.importorskip("torch", reason="PyTorch is an extra: pip install 'segkit[train]'")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sample(seed, side=24):
    """Return a noisy image of bright discs, class 2, on dark ground, class 1."""
    rng = np.random.default_rng(seed)
    image = rng.normal(60, 6, (side, side))
    classes = np.ones((side, side), dtype=np.int32)
    rows, columns = np.mgrid[:side, :side]
    for _ in range(3):
        row, column = rng.integers(4, side - 4, 2)
        disc = (rows - row) ** 2 + (columns - column) ** 2 < 14
        classes[disc] = 2
        image[disc] += 40
    return image.clip(0, 255).astype(np.uint8), classes


IMAGES, CLASSES = map(list, zip(*(sample(seed) for seed in range(8)), strict=True))
QUICK = {"epochs": 3, "batch_size": 3, "learning_rate": 0.01}


def small(**options):
    return training.unet(2, n_channels=1, **{"width": 4, "depth": 2, **options})


def weights(model):
    return [each.detach().numpy().copy() for each in model.state_dict().values()]


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


# Networks


def test_a_unet_gives_scores_of_each_class_for_each_pixel():
    model = training.unet(5, n_channels=2, width=3, depth=3)
    assert model.stride == 8
    assert model(torch.zeros(2, 2, 16, 24)).shape == (2, 5, 16, 24)


def test_the_number_of_weights_is_as_documented():
    model = training.unet(3)
    assert sum(each.numel() for each in model.parameters()) == 482_771


def test_a_unet_sees_only_its_surroundings_and_far_ones():
    model = small(depth=3).eval()
    image = torch.zeros(1, 1, 128, 128)
    with torch.no_grad():
        before = model(image)
        image[..., 64, 64] = 1
        changed = (model(image) != before).any(dim=1)[0].nonzero()
    reach = (changed - 64).abs().max()
    assert 16 < reach < 60


def test_weights_follow_from_the_seed_and_leave_others_alone():
    state = torch.random.get_rng_state()
    assert equal(small(rng=3), small(rng=3))
    assert not equal(small(rng=3), small(rng=4))
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_network_made_over_keeps_what_does_not_depend_on_the_classes():
    model = training.fit(small(), IMAGES, CLASSES, **QUICK).model
    other = training.adapt(model, 5, rng=1)
    assert equal(model.encoder, other.encoder)
    assert equal(model.decoder, other.decoder)
    assert other.classifier.weight.shape[0] == other.n_classes == 5
    assert equal(other, training.adapt(model, 5, rng=1))
    assert not equal(other.classifier, training.adapt(model, 5, rng=2).classifier)
    with pytest.raises(TypeError, match="`model`"):
        training.adapt(torch.nn.Conv2d(1, 1, 1), 2)
    with pytest.raises(ValueError, match="`n_classes`"):
        training.adapt(model, 0)


def test_espnet_is_made_over_and_its_frozen_encoder_learns_to_score_new_classes():
    model = training.espnet(12)
    other = training.adapt(model, 2)
    images = [np.stack([each] * 3, axis=-1) for each in IMAGES]
    trained = training.fine_tune(
        other, images, CLASSES, epochs=1, unfrozen_epochs=0, channel_axis=-1
    )
    for name, value in trained.model.encoder.state_dict().items():
        same = torch.equal(value, other.encoder.state_dict()[name])
        assert same == ("classifier" not in name), name


# What a step is made of


def test_class_weights_are_the_median_frequency_over_the_own():
    first = np.array([[1, 1, 1, 2]])
    second = np.array([[1, 3, 0, 0]])
    # 4 of 6 where 1 occurs, 1 of 4 where 2 does, 1 of 2 where 3 does; 4 nowhere
    found = frequency_weights([first, second], 4)
    assert np.allclose(found, [0.5 / (4 / 6), 0.5 / (1 / 4), 1, 0])


@pytest.mark.parametrize(
    ("decay", "rates"),
    [
        ("none", [1, 1, 1, 1, 1]),
        ("step", [1, 1, 0.5, 0.5, 0.25]),
        ("inverse", [1, 1 / 1.5, 1 / 2, 1 / 2.5, 1 / 3]),
        ("exponential", [math.exp(-0.5 * t) for t in range(5)]),
    ],
)
def test_the_rate_decays(decay, rates):
    settings = _training_loop.Settings(
        learning_rate=1.0, decay=decay, decay_rate=0.5, decay_every=2
    )
    assert np.allclose([settings.rate(epoch) for epoch in range(5)], rates)
    trained = training.fit(
        small(), IMAGES, CLASSES, **{**QUICK, "decay": decay, "decay_rate": 0.5, "decay_every": 2}
    )
    assert np.allclose(trained.history["learning_rate"], [0.01 * rate for rate in rates[:3]])


class OneWeight(torch.nn.Module):
    """Scores w x and 0 of two classes: everything about it can be done by hand."""

    n_classes, stride = 2, 1

    def __init__(self, weight):
        super().__init__()
        self.encoder = torch.nn.Conv2d(1, 2, 1, bias=False)
        self.encoder.weight.data[:] = torch.tensor([weight, 0.0]).reshape(2, 1, 1, 1)

    def forward(self, image):
        return self.encoder(image)


def step(weight, values, classes, class_weights, rate, l1, l2):
    """Return both weights after one step of plain gradient descent."""
    w = np.array([weight, 0.0])
    gradient = np.zeros(2)
    total = 0.0
    for x, c in zip(values, classes, strict=True):
        if c == 0:
            continue
        p = np.exp(w * x) / np.exp(w * x).sum()
        gradient += class_weights[c - 1] * (p - np.eye(2)[c - 1]) * x
        total += class_weights[c - 1]
    gradient = gradient / total + l1 * np.sign(w) + l2 * w
    return w - rate * gradient


@pytest.mark.parametrize(("l1", "l2"), [(0, 0), (0.3, 0), (0, 0.3), (0.1, 0.2)])
@pytest.mark.parametrize("class_weights", [None, [3.0, 1.0]])
def test_one_step_is_that_by_hand(l1, l2, class_weights):
    values, classes = np.array([[1.0, -2.0, 0.5, 4.0]]), np.array([[1, 2, 2, 0]])
    trained = training.fit(
        OneWeight(0.7), [values], [classes], validation=([values], [classes]), mean=[0], std=[1],
        epochs=1, optimizer="sgd", momentum=0, learning_rate=0.2, l1=l1, l2=l2,
        class_weights=class_weights,
    )  # fmt: skip
    wanted = step(0.7, values[0], classes[0], class_weights or [1, 1], 0.2, l1, l2)
    assert np.allclose(trained.model.encoder.weight.detach().numpy().ravel(), wanted, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_each_optimizer_learns(optimizer):
    rate = {"sgd": 0.1, "rmsprop": 0.003, "adam": 0.01}[optimizer]
    trained = training.fit(
        small(depth=1), IMAGES, CLASSES, epochs=12, batch_size=2, optimizer=optimizer,
        learning_rate=rate, class_weights=None,
    )  # fmt: skip
    losses = trained.history["validation_loss"]
    assert min(losses) < losses[0] / 1.5
    assert trained.history["validation_accuracy"][trained.best_epoch] > 0.85


def test_pixels_without_a_class_teach_nothing():
    classes = [each.copy() for each in CLASSES]
    images = [each.copy() for each in IMAGES]
    for image, each in zip(images, classes, strict=True):
        each[:, -4:] = 0
        assert image[:, -4:].any()
    held = ([IMAGES[0]], [CLASSES[0]])
    model = OneWeight(0.5)
    options = {"validation": held, "mean": [60], "std": [9], "epochs": 2, "optimizer": "sgd"}
    one = training.fit(model, images, classes, **options)
    for image in images:
        image[:, -4:] = 255
    assert equal(one.model, training.fit(model, images, classes, **options).model)


def test_an_image_without_any_class_is_no_harm():
    classes = [np.zeros_like(CLASSES[0]), *CLASSES[1:]]
    trained = training.fit(small(), IMAGES, classes, **{**QUICK, "batch_size": 1})
    assert all(np.isfinite(trained.history["loss"]))


# The loop


def test_the_result_is_of_the_best_epoch_and_the_model_given_stays():
    model = small()
    before = weights(model)
    trained = training.fit(model, IMAGES, CLASSES, **{**QUICK, "epochs": 6})
    losses = trained.history["validation_loss"]
    assert len(losses) == 6
    assert trained.best_epoch == int(np.argmin(losses))
    assert trained.score == min(losses)
    assert all(np.array_equal(a, b) for a, b in zip(weights(model), before, strict=True))
    again = training.fit(model, IMAGES, CLASSES, **{**QUICK, "epochs": trained.best_epoch + 1})
    assert equal(trained.model, again.model)


def test_dropout_and_changes_of_images_follow_from_the_seed():
    options = {**QUICK, "augmentation": {"crop": (16, 16), "noise": 0.05, "scale": (0.8, 1.2)}}
    one = training.fit(small(dropout=0.3), IMAGES, CLASSES, **options)
    torch.rand(7)  # whatever else was drawn
    two = training.fit(small(dropout=0.3), IMAGES, CLASSES, **options)
    other = training.fit(small(dropout=0.3), IMAGES, CLASSES, **options, rng=1)
    assert one.history == two.history
    assert equal(one.model, two.model)
    assert one.history != other.history


def test_training_stops_when_nothing_gets_better():
    trained = training.fit(
        small(), IMAGES, CLASSES, epochs=40, patience=2, optimizer="sgd", learning_rate=1e-12
    )
    assert len(trained.history["loss"]) < 40
    assert len(trained.history["loss"]) == trained.best_epoch + 3


def test_a_rate_that_is_too_large_is_said_so():
    with pytest.raises(ValueError, match=r"`learning_rate` 1e\+30 is too large"):
        training.fit(small(), IMAGES, CLASSES, epochs=5, optimizer="sgd", learning_rate=1e30)


def test_validation_images_are_not_trained_on():
    held = IMAGES[0], CLASSES[0]
    wrong = [3 - each for each in CLASSES[1:]]
    trained = training.fit(
        small(depth=1), IMAGES[1:], wrong, validation=([held[0]], [held[1]]), epochs=12,
        learning_rate=0.01,
    )  # fmt: skip
    # It learned the exchanged classes, which lower the score of the held image.
    losses = trained.history["validation_loss"]
    assert losses[-1] > losses[0]


def test_images_of_other_shapes_need_a_crop_or_batches_of_one():
    images = [IMAGES[0], IMAGES[1][:17], *IMAGES[2:]]
    classes = [CLASSES[0], CLASSES[1][:17], *CLASSES[2:]]
    with pytest.raises(ValueError, match="`images` of different shapes need a `crop`"):
        training.fit(small(), images, classes, **QUICK)
    training.fit(small(), images, classes, epochs=1, batch_size=1)
    training.fit(small(), images, classes, epochs=1, augmentation={"crop": (16, 16)})


def test_images_of_one_shape_may_be_one_array():
    wanted = training.fit(small(), IMAGES, CLASSES, epochs=1)
    found = training.fit(small(), np.stack(IMAGES), np.stack(CLASSES), epochs=1)
    assert equal(found.model, wanted.model)
    model = training.unet(2, width=2, depth=1)
    colors = np.stack([np.stack([each] * 3) for each in IMAGES])
    training.fit(model, colors, np.stack(CLASSES), epochs=1, channel_axis=0)


def test_two_classes_may_be_bool_with_what_is_false_unsaid():
    training.fit(small(), IMAGES, [each == 2 for each in CLASSES], epochs=1)


def test_what_is_tried_on_must_say_something():
    """Else each epoch would have the loss 0, and the first would be the best."""
    ground = [np.ones_like(each) for each in CLASSES]
    objects = ([IMAGES[0]], [np.full_like(CLASSES[0], 2)])  # of a class that nobody trains
    with pytest.raises(ValueError, match="`validation` must hold at least one pixel with a class"):
        training.fit(small(), IMAGES, ground, validation=objects, epochs=1)
    with pytest.raises(ValueError, match="`validation`: `annotations` must hold at least one"):
        training.fit(small(), IMAGES, CLASSES, validation=(IMAGES, [each * 0 for each in CLASSES]))
    order = np.random.default_rng(0).permutation(8)  # as images are held back
    few = [each * (i in order[:2]) for i, each in enumerate(CLASSES)]
    with pytest.raises(ValueError, match=r"`annotations` must .*, of the images that are trained"):
        training.fit(small(), IMAGES, few, epochs=1)


def test_a_norm_of_a_single_value_is_said_in_words():
    images, classes = ([each[:4, :4] for each in arrays] for arrays in (IMAGES, CLASSES))
    with pytest.raises(ValueError, match=r"`batch_size` 1 with `images` of \(4, 4\) is too little"):
        training.fit(small(), images, classes, epochs=1, batch_size=1, class_weights=None)


def test_channels_and_color():
    images = [np.stack([each] * 3, axis=-1) for each in IMAGES]
    trained = training.fit(
        training.unet(2, width=2, depth=1), images, CLASSES, **QUICK, channel_axis=-1
    )
    assert trained.mean.shape == trained.std.shape == (3,)


def test_a_trained_network_is_used_without_pytorch(tmp_path):
    pytest.importorskip("onnx", reason="an extra: pip install 'segkit[train]'")
    import segkit

    images = [np.stack([each] * 3, axis=-1) for each in IMAGES]
    trained = training.fit(
        training.unet(2, width=2, depth=2), images, CLASSES, **QUICK, channel_axis=-1
    )
    path = tmp_path / "discs.onnx"
    training.export_onnx(trained.model, path)
    network = segkit.CNNSegmenter(
        path, class_names=["ground", "disc"], mean=trained.mean, std=trained.std, backend="opencv"
    )
    scaled = ((images[0] - trained.mean) / trained.std).astype(np.float32)
    with torch.no_grad():
        scores = trained.model(torch.from_numpy(scaled.transpose(2, 0, 1)[np.newaxis]))[0]
    wanted = torch.softmax(scores, 0).numpy().transpose(1, 2, 0)
    assert np.abs(network.predict_proba(images[0]) - wanted).max() < 1e-5


# Stopped and resumed


class KilledError(Exception):
    pass


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path, monkeypatch, optimizer):
    options = {
        **QUICK, "epochs": 5, "optimizer": optimizer, "augmentation": {"noise": 0.1}, "patience": 4,
    }  # fmt: skip
    wanted = training.fit(small(dropout=0.2), IMAGES, CLASSES, **options)

    evaluate = _training_loop.Loop.evaluate

    def dies(loop):
        if len(loop.history["loss"]) == 3:
            raise KilledError
        return evaluate(loop)

    path = tmp_path / "run.npz"
    with monkeypatch.context() as patch:
        patch.setattr(_training_loop.Loop, "evaluate", dies)
        with pytest.raises(KilledError):
            training.fit(small(dropout=0.2), IMAGES, CLASSES, **options, checkpoint=path)
    trained = training.fit(small(dropout=0.2), IMAGES, CLASSES, **options, checkpoint=path)
    assert trained.history == wanted.history
    assert equal(trained.model, wanted.model)
    assert [each.name for each in tmp_path.iterdir()] == ["run.npz"]


def test_a_finished_training_can_be_made_longer(tmp_path):
    path = tmp_path / "run.npz"
    training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=path)
    longer = {**QUICK, "epochs": 5}
    trained = training.fit(small(), IMAGES, CLASSES, **longer, checkpoint=path)
    assert trained.history == training.fit(small(), IMAGES, CLASSES, **longer).history


@pytest.mark.parametrize(
    "other",
    [
        {"l2": 0.1}, {"batch_size": 2}, {"rng": 1}, {"augmentation": {"noise": 0.1}},
        {"mean": 3}, {"std": [2]},
    ],
)  # fmt: skip
def test_a_checkpoint_of_another_training_is_refused(tmp_path, other):
    path = tmp_path / "run.npz"
    training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=path)
    with pytest.raises(ValueError, match=r"`checkpoint` .* of another training"):
        training.fit(small(), IMAGES, CLASSES, **{**QUICK, **other}, checkpoint=path)
    with pytest.raises(ValueError, match=r"`checkpoint` .* of another training"):
        training.fit(small(), IMAGES[:-1], CLASSES[:-1], **QUICK, checkpoint=path)


@pytest.mark.parametrize("other", [{"rng": 1}, {"dropout": 0.5}, {"width": 5}])
def test_a_checkpoint_of_another_network_is_refused(tmp_path, other):
    path = tmp_path / "run.npz"
    training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=path)
    with pytest.raises(ValueError, match=r"`checkpoint` .* of another training"):
        training.fit(small(**other), IMAGES, CLASSES, **QUICK, checkpoint=path)


def test_a_checkpoint_needs_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`checkpoint` .* there is no such folder"):
        training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=tmp_path / "no" / "run.npz")


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=path)
    whole = path.read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"`checkpoint` .* is damaged"):
            training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=path)


def test_a_pickle_is_never_loaded(tmp_path):
    path = tmp_path / "run.npz"
    with path.open("wb") as stream:
        np.savez(stream, state=np.array([{"a": print}], dtype=object))
    with pytest.raises(ValueError, match=r"`checkpoint` .* is damaged"):
        training.fit(small(), IMAGES, CLASSES, **QUICK, checkpoint=path)


# Its picture


def test_the_learning_curve_shows_every_epoch_and_the_best():
    trained = training.fit(small(), IMAGES, CLASSES, **QUICK)
    above, below = plot.learning_curve(trained).axes
    drawn = {line.get_label(): line.get_ydata() for line in [*above.lines, *below.lines]}
    assert list(drawn["training"]) == trained.history["loss"]
    assert list(drawn["validation"]) == trained.history["validation_loss"]
    assert list(drawn["mean IoU"]) == trained.history["validation_mean_iou"]
    for axes in (above, below):
        assert axes.lines[-1].get_xdata()[0] == trained.best_epoch + 1
    with pytest.raises(TypeError, match="`trained`"):
        plot.learning_curve(3)


# Transfer


def test_the_frozen_part_stays_until_it_is_unfrozen():
    model = training.fit(small(), IMAGES, CLASSES, **QUICK).model
    classes = [each.clip(1, 1) + (each == 2) for each in CLASSES]
    frozen = training.fine_tune(model, IMAGES, classes, **QUICK, unfrozen_epochs=0)
    assert equal(frozen.model.encoder, model.encoder)
    assert not equal(frozen.model.decoder, model.decoder)
    assert len(frozen.history["loss"]) == 3
    both = training.fine_tune(model, IMAGES, classes, **QUICK, unfrozen_epochs=2, unfrozen_rate=0.5)
    assert both.history["loss"][:3] == frozen.history["loss"]
    assert both.history["learning_rate"] == [0.01] * 3 + [0.005] * 2
    assert both.best_epoch == int(np.argmin(both.history["validation_loss"]))
    assert all(each.requires_grad for each in both.model.parameters())


def test_fine_tuning_resumes(tmp_path):
    options = {**QUICK, "unfrozen_epochs": 2}
    wanted = training.fine_tune(small(), IMAGES, CLASSES, **options)
    path = tmp_path / "run.npz"
    for _ in range(2):
        found = training.fine_tune(small(), IMAGES, CLASSES, **options, checkpoint=path)
        assert found.history == wanted.history
        assert equal(found.model, wanted.model)


@pytest.mark.parametrize("freeze", ["nothing", "n_classes", 3])
def test_freeze_names_a_part(freeze):
    with pytest.raises(ValueError, match="`freeze` must name a part"):
        training.fine_tune(small(), IMAGES, CLASSES, freeze=freeze, **QUICK)


def test_freezing_everything_is_refused():
    with pytest.raises(ValueError, match="`freeze` must leave something"):
        training.fine_tune(OneWeight(1.0), IMAGES, CLASSES, **QUICK)


# Search


def test_search_tries_every_combination_and_sorts_them():
    found = training.search(
        small, IMAGES, CLASSES, {"depth": [1, 2], "learning_rate": [1e-9, 0.02]}, epochs=3
    )
    assert sorted((each["depth"], each["learning_rate"]) for each, _ in found) == [
        (1, 1e-9), (1, 0.02), (2, 1e-9), (2, 0.02),
    ]  # fmt: skip
    scores = [trained.score for _, trained in found]
    assert scores == sorted(scores)
    assert {each["learning_rate"] for each, _ in found[:2]} == {0.02}


def test_search_draws_some_of_many():
    options = {"width": [2, 3, 4], "l2": [0, 0.1, 0.2]}
    found = training.search(small, IMAGES, CLASSES, options, n_trials=2, rng=5, epochs=1)
    again = training.search(small, IMAGES, CLASSES, options, n_trials=2, rng=5, epochs=1)
    assert len(found) == 2
    assert [each for each, _ in found] == [each for each, _ in again]


def test_each_trial_of_a_search_has_a_checkpoint_of_its_own(tmp_path, monkeypatch):
    options = {"l2": [0, 0.1], "width": [2, 3]}
    arguments = {"n_trials": 3, "epochs": 1, "checkpoint": tmp_path / "run.npz"}
    found = training.search(small, IMAGES, CLASSES, options, **arguments)
    assert len(list(tmp_path.iterdir())) == 3
    with monkeypatch.context() as patch:
        patch.setattr(_training_loop.Loop, "_learn", None)  # nothing is left to learn
        again = training.search(small, IMAGES, CLASSES, options, **arguments)
    for (one, first), (two, second) in zip(found, again, strict=True):
        assert one == two
        assert equal(first.model, second.model)


def test_a_search_says_what_is_wrong_before_it_starts(monkeypatch):
    monkeypatch.setattr(_training_loop.Loop, "_learn", None)
    with pytest.raises(ValueError, match="`l2` must be a finite number >= 0, got -1"):
        training.search(small, IMAGES, CLASSES, {"l2": [0, -1]})
    with pytest.raises(TypeError, match="`build` must be callable, got int"):
        training.search(3, IMAGES, CLASSES, {"l2": [0]})


# Bad input


@pytest.mark.parametrize(
    ("error", "name", "options"),
    [
        (ValueError, "images", {"images": []}),
        (ValueError, "annotations", {"annotations": CLASSES[:-1]}),
        (TypeError, "annotations", {"annotations": [each * 1.0 for each in CLASSES]}),
        (ValueError, "annotations", {"annotations": [each * 9 for each in CLASSES]}),
        (ValueError, "annotations", {"annotations": [-each for each in CLASSES]}),
        (ValueError, "annotations", {"annotations": [each * 0 for each in CLASSES]}),
        (ValueError, "annotations", {"annotations": [each[1:] for each in CLASSES]}),
        (ValueError, "images", {"images": [each * np.nan for each in IMAGES]}),
        (TypeError, "images", {"images": [each * 1j for each in IMAGES]}),
        (ValueError, "validation", {"validation": 0}),
        (ValueError, "validation", {"validation": 1.0}),
        (ValueError, "validation", {"validation": (IMAGES,)}),
        (ValueError, "epochs", {"epochs": 0}),
        (ValueError, "batch_size", {"batch_size": 0}),
        (TypeError, "batch_size", {"batch_size": 1.5}),
        (ValueError, "optimizer", {"optimizer": "lbfgs"}),
        (ValueError, "learning_rate", {"learning_rate": 0}),
        (ValueError, "learning_rate", {"learning_rate": np.nan}),
        (ValueError, "momentum", {"momentum": 2}),
        (ValueError, "decay", {"decay": "cosine"}),
        (ValueError, "decay_rate", {"decay_rate": -1}),
        (ValueError, "decay_every", {"decay_every": 0}),
        (ValueError, "l1", {"l1": -1}),
        (ValueError, "l2", {"l2": np.inf}),
        (ValueError, "class_weights", {"class_weights": [1, 2, 3]}),
        (ValueError, "class_weights", {"class_weights": [-1, 2]}),
        (ValueError, "class_weights", {"class_weights": "even"}),
        (TypeError, "augmentation", {"augmentation": "all"}),
        (TypeError, "augmentation", {"augmentation": {"zoom": 2}}),
        (TypeError, "augmentation", {"augmentation": {"rng": 2}}),
        (ValueError, "images", {"model": training.unet(2)}),
        (
            ValueError,
            "images",
            {
                "channel_axis": -1,
                "images": [[each] * 9 for each in IMAGES],
                "annotations": [each[:9] for each in CLASSES],
            },
        ),
        (ValueError, "patience", {"patience": 0}),
        (ValueError, "rng", {"rng": -1}),
        (ValueError, "mean", {"mean": [1, 2]}),
        (ValueError, "std", {"std": [0]}),
        (ValueError, "checkpoint", {"checkpoint": "run.pt"}),
        (ValueError, "device", {"device": "abacus"}),
        (TypeError, "rate", {"rate": 3}),
        (TypeError, "model", {"model": torch.nn.Conv2d(1, 2, 1)}),
        (ValueError, "options", {"options": {}}),
        (ValueError, "n_trials", {"options": {"l1": [0]}, "n_trials": 0}),
    ],
)
def test_bad_input(error, name, options):
    arguments = {"images": IMAGES, "annotations": CLASSES, "epochs": 1, **options}
    call = training.search if "options" in arguments else training.fit
    model = small if "options" in arguments else arguments.pop("model", small())
    with pytest.raises(error, match=f"`{name}"):
        call(model, **arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_classes", 0), ("n_channels", 0), ("width", 0), ("depth", 0), ("dropout", 1.5)],
)
def test_bad_networks(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        training.unet(**{"n_classes": 2, name: value})
