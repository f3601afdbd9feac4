"""What a phantom says of itself is what its pixels show."""

import numpy as np
import pytest
from scipy import ndimage

from fsrcnn_np.errors import OptionError
from fsrcnn_np.phantom import phantom, truth
from fsrcnn_np.phantom.anatomy import DENSITIES
from fsrcnn_np.phantom.calcifications import MORPHOLOGIES
from fsrcnn_np.phantom.detector import CHARGE, FOCAL
from fsrcnn_np.phantom.distributions import DISTRIBUTIONS

SHAPE = (700, 520)
SIZES = {  # mm, of the disc of the same area
    "amorphous": (0.05, 0.3), "fine pleomorphic": (0.08, 0.55), "coarse heterogeneous": (0.3, 1.0),
    "fine linear": (0.1, 0.7),
}  # fmt: skip


@pytest.fixture(scope="module", params=MORPHOLOGIES)
def drawn(request):
    return phantom(4, morphology=request.param, shape=SHAPE)


def test_labels_lie_where_they_are_said_to_lie(drawn):
    assert 5 <= len(drawn.calcifications) == drawn.labels.max()
    for number, one in enumerate(drawn.calcifications, 1):
        rows, columns = np.nonzero(drawn.labels == number)
        assert (rows.mean(), columns.mean()) == pytest.approx((one.row, one.column), abs=1.0)
        area = len(rows) * drawn.pixel_spacing**2
        assert np.sqrt(4 * area / np.pi) == pytest.approx(one.diameter, abs=drawn.pixel_spacing)
        low, high = SIZES[one.kind]
        assert low < one.diameter < high
        assert one.diameter <= 1.1 * one.length
        assert 0 < one.thickness <= one.length * 1.5
    assert (drawn.mask == (drawn.labels > 0)).all()
    assert drawn.breast_mask[drawn.mask].all()


def test_none_touches_another(drawn):
    _, pieces = ndimage.label(drawn.mask, np.ones((3, 3)))
    assert pieces == len(drawn.calcifications)


def test_the_same_breast_and_noise_without_them(drawn):
    bare = phantom(4, morphology="none", shape=SHAPE)
    assert not bare.calcifications
    assert not bare.labels.any()
    near = ndimage.binary_dilation(drawn.mask, np.ones((3, 3)), iterations=10)  # blur and sharpening reach 9
    assert np.array_equal(bare.pixels[~near], drawn.pixels[~near])
    difference = drawn.pixels.astype(int) - bare.pixels
    assert difference[drawn.mask].mean() > 50


def test_attenuation_is_what_is_said(drawn):
    """Line integrals with and without calcifications differ by each one's contrast, at its thickest place."""
    bare = truth(phantom(4, morphology="none", shape=SHAPE), scale=2).line_integrals
    ideal = truth(drawn, scale=2)
    assert ideal.pixel_spacing == pytest.approx(0.035)
    added = ideal.line_integrals - bare
    for number, one in enumerate(drawn.calcifications, 1):
        peak = added[ideal.labels == number].max()
        assert 0.3 * one.contrast < peak < 1.001 * one.contrast + 1e-5
    assert abs(added[~ndimage.binary_dilation(ideal.labels > 0, iterations=4)]).max() < 1e-5


def test_truth_is_the_phantom_without_noise_and_blur():
    one = phantom(3, shape=SHAPE, dose=20)
    ideal = truth(one, scale=2)
    assert ideal.pixels.shape == ideal.line_integrals.shape == ideal.labels.shape == (2 * SHAPE[0], 2 * SHAPE[1])
    mean = ideal.pixels.reshape(SHAPE[0], 2, SHAPE[1], 2).mean((1, 3))
    inner = ndimage.binary_erosion(one.breast_mask, iterations=12)
    assert np.corrcoef(mean[inner], one.pixels[inner])[0, 1] > 0.99
    coarse = truth(one, scale=1)
    fine = ideal.line_integrals.reshape(SHAPE[0], 2, SHAPE[1], 2).mean((1, 3))
    assert np.abs(fine - coarse.line_integrals)[inner].mean() < 0.002 * coarse.line_integrals[inner].mean()


@pytest.mark.parametrize("scale", [0, 3, 2.5, True, "2", None])
def test_truth_has_two_scales(scale):
    with pytest.raises(OptionError, match=r"scale is .*; allowed are 1 and 2"):
        truth(phantom(shape=(256, 256)), scale=scale)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_distributions(distribution):
    one = phantom(6, distribution=distribution, morphology="amorphous", shape=(1400, 1100))
    places = np.array([(c.row, c.column) for c in one.calcifications]) * one.pixel_spacing
    groups = np.array([c.cluster for c in one.calcifications])
    spread = np.linalg.norm(places - places.mean(0), axis=1).max()
    if distribution == "grouped":
        assert set(groups) == {0, 1, 2}
        for group in range(3):
            own = places[groups == group]
            assert np.linalg.norm(own - own.mean(0), axis=1).max() < 10
    elif distribution == "linear":
        deviations = np.linalg.svd(places - places.mean(0), compute_uv=False)
        assert deviations[1] < 0.2 * deviations[0]
    else:
        assert spread > 6
        assert set(groups) == {0}


def test_dose_is_noise():
    def spread(dose):
        raw = phantom(2, shape=SHAPE, dose=dose, processed=False)
        ideal = truth(raw, scale=1)
        mean = ideal.pixels.astype(float)
        for side in (FOCAL, CHARGE):
            for axis in (0, 1):
                mean = ndimage.correlate1d(mean, [side, 1 - 2 * side, side], axis)
        inner = ndimage.binary_erosion(raw.breast_mask, iterations=40) & (ideal.pixels < 9000)
        noise = raw.pixels - mean
        return (noise[inner] / np.sqrt(ideal.pixels[inner])).std()

    assert spread(0.25) / spread(1.0) == pytest.approx(2, rel=0.1)


def test_density_is_gland():
    means = [truth(phantom(8, density=d, shape=SHAPE), scale=1).line_integrals for d in DENSITIES]
    assert [m.mean() for m in means] == sorted(m.mean() for m in means)


def test_muscle_only_in_the_oblique_view():
    oblique, other = (phantom(1, view=view, density="a", shape=(1400, 1100)) for view in ("MLO", "CC"))
    corner = truth(oblique, scale=1).line_integrals[100:300, 4:60].mean()
    assert corner > 1.15 * truth(oblique, scale=1).line_integrals[1000:1200, 100:200].mean()
    assert corner > 1.15 * truth(other, scale=1).line_integrals[600:800, 4:60].mean()


def test_one_line_for_people():
    assert repr(phantom(1, shape=(256, 256))).startswith("Phantom(seed=1, density='c', ")
