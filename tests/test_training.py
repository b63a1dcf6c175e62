"""Networks in PyTorch, and their way into ONNX files."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'segkit[train]'")
from torch import nn  # noqa: E402

import segkit  # noqa: E402
from segkit import CNNSegmenter, training  # noqa: E402

MODELS = segkit.cnn._models.FOLDER
SETTINGS = {"mean": 0, "std": 1}


@pytest.fixture(scope="module")
def folder(data_root):
    return data_root / "espnet_camvid"


@pytest.fixture(scope="module")
def arrays(folder):
    return np.load(folder / "weights.npz")


def test_the_network_gives_the_published_scores(folder, arrays):
    reference = np.load(folder / "reference.npz")
    values = reference["image_rgb"][..., ::-1].astype(float)
    values = (values - reference["mean_bgr"]) / reference["std_bgr"] / 255
    batch = torch.from_numpy(np.moveaxis(values, -1, 0)[np.newaxis].astype(np.float32))
    with torch.no_grad():
        scores = training.espnet(12, arrays=arrays)(batch)[0].numpy()
    np.testing.assert_allclose(scores[:, ::8, ::8], reference["logits_stride8"], atol=1e-3)
    np.testing.assert_array_equal(scores.argmax(axis=0), reference["labels"])


def test_the_shipped_files_are_made_again_byte_by_byte(folder, tmp_path):
    from segkit import _packing

    _packing.pack(folder, tmp_path)
    for suffix in ("onnx", "json"):
        made = tmp_path / f"{_packing.NAME}.{suffix}"
        assert made.read_bytes() == (MODELS / made.name).read_bytes(), made.name


def test_it_has_as_many_parameters_as_were_published(arrays):
    assert sum(array.size for array in arrays.values()) == 358_193


def test_the_license_travels_with_the_network():
    text = (MODELS / "espnet-camvid.txt").read_text()
    assert "Copyright (c) 2018 Sachin Mehta" in text
    assert "Permission is hereby granted" in text
    assert text.encode() in (MODELS / "espnet-camvid.onnx").read_bytes()


@pytest.mark.parametrize("backend", ["opencv", "onnxruntime"])
def test_an_exported_network_gives_what_it_gave(tmp_path, backend):
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    parts = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=True), nn.BatchNorm2d(6), nn.ReLU(),
        nn.BatchNorm2d(6, affine=False), nn.Dropout2d(0.3), nn.MaxPool2d(2),
        nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=3, bias=False), nn.BatchNorm2d(6),
        nn.PReLU(6), nn.PReLU(), nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.Identity(),
        nn.ConvTranspose2d(6, 6, 2, 2), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 1),
    )  # fmt: skip
    model = Residual(parts)
    with torch.no_grad():  # norms that do something
        for _ in range(3):
            model(torch.randn(4, 3, 16, 24) * 50 + 100)
    model.eval()
    path = tmp_path / "net.onnx"
    training.export_onnx(model, path)
    network = CNNSegmenter(path, class_names=list("abcd"), backend=backend, **SETTINGS)
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    with torch.no_grad():
        batch = torch.from_numpy(np.moveaxis(image, -1, 0)[np.newaxis].astype(np.float32))
        wanted = torch.softmax(model(batch), dim=1)[0].numpy()
    np.testing.assert_allclose(network.predict_proba(image), np.moveaxis(wanted, 0, -1), atol=1e-4)


class Residual(nn.Module):
    """Parts, with sums and joins around them."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts
        self.last = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        seen = self.parts(x)
        return self.last(torch.cat([torch.relu(seen), seen + seen], 1))


def test_the_same_parameters_give_the_same_bytes(tmp_path):
    torch.manual_seed(1)
    model = training.espnet(3)
    for name in ("a", "b"):
        training.export_onnx(model, tmp_path / name, about="about it")
    data = (tmp_path / "a").read_bytes()
    assert data == (tmp_path / "b").read_bytes()
    assert b"about it" in data
    assert b"torch" not in data


def test_a_network_takes_the_channels_that_it_was_made_for(tmp_path):
    model = training.unet(2, n_channels=1, width=2, depth=1).eval()
    path = tmp_path / "net.onnx"
    training.export_onnx(model, path)
    network = CNNSegmenter(path, class_names=["a", "b"], backend="opencv", **SETTINGS)
    assert network.predict(np.zeros((4, 6))).shape == (4, 6)
    with pytest.raises(ValueError, match="`n_channels` must be 1, as `model` takes them, got 3"):
        training.export_onnx(model, path, n_channels=3)


def test_random_weights_follow_from_the_seed():
    first, second, other = (training.espnet(3, rng=seed) for seed in (1, 1, 2))
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)
    name = "encoder.level1.conv.weight"
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_what_cannot_be_exported(tmp_path):
    path = tmp_path / "net.onnx"
    with pytest.raises(TypeError, match="`model` must be a PyTorch module, got str"):
        training.export_onnx("model", path)
    with pytest.raises(ValueError, match="`model` must be in evaluation mode"):
        training.export_onnx(nn.Conv2d(3, 2, 1), path)
    with pytest.raises(ValueError, match=r"`model` holds Softplus.*, which cannot be exported"):
        training.export_onnx(nn.Sequential(nn.Conv2d(3, 2, 1), nn.Softplus()).eval(), path)
    with pytest.raises(ValueError, match=r"`model` holds Conv2d.*reflect.*, which cannot"):
        training.export_onnx(nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect").eval(), path)
    with pytest.raises(ValueError, match="`n_channels` must be an integer >= 1"):
        training.export_onnx(nn.Conv2d(3, 2, 1).eval(), path, n_channels=0)
    with pytest.raises(FileNotFoundError):
        training.export_onnx(nn.Conv2d(3, 2, 1).eval(), tmp_path / "no" / "net.onnx")
    assert not path.exists()


def test_arrays_that_are_not_those_of_the_network(arrays):
    held = dict(arrays)
    name = "encoder.level1.conv.weight"
    with pytest.raises(ValueError, match="`arrays` must hold the parameters of the network"):
        training.espnet(12, arrays={name: held[name]})
    with pytest.raises(ValueError, match=r"`arrays\['encoder.level1.conv.weight'\]` has shape"):
        training.espnet(12, arrays=held | {name: held[name][:2]})
    with pytest.raises(ValueError, match="must not hold NaN"):
        training.espnet(12, arrays=held | {name: held[name] * np.nan})
    with pytest.raises(TypeError, match="has dtype object"):
        training.espnet(12, arrays=held | {name: held[name].astype(object)})
    with pytest.raises(ValueError, match="has shape"):
        training.espnet(5, arrays=held)
    with pytest.raises(ValueError, match="`n_classes` must be an integer >= 1"):
        training.espnet(0)
