"""What Honjo et al. print: European Journal of Radiology 154, 2022, 110433. Nothing here is computed."""

from __future__ import annotations

from typing import NamedTuple

PATIENTS, BREASTS, BILATERAL, SCREENED = 93, 136, 43, 5080
SCALE = (1, 2, 3, 4, 5)  # 1: original strongly preferred, 3: no preference, 5: SR strongly preferred


EXPERIENCE = {1: 7, 2: 15, 3: 14, 4: 12}  # reader → years, section 2.3
STRUCTURES = {
    "skin": "Visibility of skin",
    "pectoral muscles": "Visibility of pectoral muscles",
    "nipples": "Visibility of nipples",
}


class Cell(NamedTuple):
    """One reader's ratings by one criterion (Table 2)."""

    criterion: str
    reader: int
    counts: tuple[int, int, int, int, int]  # of the ratings 1 to 5
    mean: str
    p: str
    stars: str
    inferred: str = ""  # why the counts are not those in print, where they are not
    note: str = ""


_GARBLED = "rows run together in the text in hand; these counts restore the printed mean with n = 136"

# fmt: off
TABLE_2 = (
    Cell("Detection of microcalcifications", 1, (0, 0, 31, 55, 50), "4.140", "< 0.001", "***"),
    Cell("Detection of microcalcifications", 2, (0, 0, 1, 135, 0), "3.993", "< 0.001", "***"),
    Cell("Detection of microcalcifications", 3, (0, 0, 1, 135, 0), "3.993", "< 0.001", "***"),
    Cell("Detection of microcalcifications", 4, (0, 0, 63, 73, 0), "3.537", "< 0.001", "***"),
    Cell("Diagnostic quality of microcalcifications", 1, (0, 2, 21, 60, 53), "4.206", "< 0.001", "***"),
    Cell("Diagnostic quality of microcalcifications", 2, (0, 0, 3, 133, 0), "3.978", "< 0.001", "***"),
    Cell("Diagnostic quality of microcalcifications", 3, (2, 3, 2, 129, 0), "3.897", "< 0.001", "***"),
    Cell("Diagnostic quality of microcalcifications", 4, (0, 0, 105, 31, 0), "3.228", "< 0.001", "***"),
    Cell("Visibility of breast density", 1, (0, 15, 100, 17, 4), "3.074", "0.143", ""),
    Cell(
        "Visibility of breast density", 2, (0, 0, 136, 0, 0), "3.000", "1.000", "***",
        note="the printed *** contradicts the printed p of 1.000: a slip",
    ),
    Cell("Visibility of breast density", 3, (0, 9, 0, 127, 0), "3.868", "< 0.001", "***"),
    Cell("Visibility of breast density", 4, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Contrast of microcalcifications", 1, (0, 3, 13, 51, 69), "4.368", "< 0.001", "***"),
    Cell("Contrast of microcalcifications", 2, (0, 0, 2, 0, 134), "4.971", "< 0.001", "***"),
    Cell("Contrast of microcalcifications", 3, (2, 3, 2, 129, 0), "3.897", "< 0.001", "***", _GARBLED),
    Cell("Contrast of microcalcifications", 4, (0, 0, 58, 78, 0), "3.574", "< 0.001", "***", _GARBLED),
    Cell("Contrast in general", 1, (0, 0, 30, 76, 30), "4.000", "< 0.001", "***", _GARBLED),
    Cell("Contrast in general", 2, (0, 1, 0, 135, 0), "3.985", "< 0.001", "***", _GARBLED),
    Cell("Contrast in general", 3, (0, 0, 0, 136, 0), "4.000", "< 0.001", "***", _GARBLED),
    Cell("Contrast in general", 4, (0, 0, 135, 1, 0), "3.007", "1.000", "", _GARBLED),
    Cell("Noise of microcalcifications", 1, (1, 53, 75, 7, 0), "2.647", "< 0.001", "***"),
    Cell(
        "Noise of microcalcifications", 2, (0, 135, 1, 0, 0), "2.007", "< 0.001", "***",
        "the counts in hand, 0 136 0 0 0, give 2.000; these restore the printed mean",
    ),
    Cell(
        "Noise of microcalcifications", 3, (0, 131, 0, 1, 4), "2.103", "< 0.001", "***",
        "the counts in hand, 0 130 0 1 4, give n = 135; these restore the printed mean with n = 136",
    ),
    Cell("Noise of microcalcifications", 4, (0, 2, 133, 1, 0), "2.993", "0.773", "", _GARBLED),
    Cell("Noise in general", 1, (0, 31, 97, 8, 0), "2.831", "< 0.001", "***"),
    Cell("Noise in general", 2, (0, 132, 4, 0, 0), "2.029", "< 0.001", "***"),
    Cell("Noise in general", 3, (0, 136, 0, 0, 0), "2.000", "< 0.001", "***"),
    Cell("Noise in general", 4, (0, 96, 40, 0, 0), "2.294", "< 0.001", "***"),
    Cell("Sharpness of microcalcifications", 1, (0, 1, 10, 63, 62), "4.368", "< 0.001", "***"),
    Cell("Sharpness of microcalcifications", 2, (0, 2, 2, 132, 0), "3.956", "< 0.001", "***"),
    Cell("Sharpness of microcalcifications", 3, (0, 7, 0, 129, 0), "3.897", "< 0.001", "***"),
    Cell("Sharpness of microcalcifications", 4, (0, 1, 37, 98, 0), "3.713", "< 0.001", "***"),
    Cell("Sharpness in general", 1, (0, 0, 20, 85, 31), "4.081", "< 0.001", "***"),
    Cell("Sharpness in general", 2, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Sharpness in general", 3, (0, 0, 0, 136, 0), "4.000", "< 0.001", "***"),
    Cell("Sharpness in general", 4, (0, 0, 134, 2, 0), "3.015", "0.346", ""),
    Cell("Visibility of pectoral muscles", 1, (14, 63, 46, 12, 1), "2.434", "< 0.001", "***"),
    Cell("Visibility of pectoral muscles", 2, (0, 0, 128, 0, 0), "3.000", "1.000", "", note="n = 128: 8 unreadable"),
    Cell("Visibility of pectoral muscles", 3, (0, 136, 0, 0, 0), "2.000", "< 0.001", "***"),
    Cell("Visibility of pectoral muscles", 4, (0, 0, 130, 0, 0), "3.000", "1.000", "", note="n = 130: 6 unreadable"),
    Cell("Visibility of nipples", 1, (32, 91, 10, 3, 0), "1.882", "< 0.001", "***"),
    Cell("Visibility of nipples", 2, (0, 5, 131, 0, 0), "2.963", "< 0.05", "*"),
    Cell("Visibility of nipples", 3, (0, 136, 0, 0, 0), "2.000", "< 0.001", "***"),
    Cell("Visibility of nipples", 4, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Visibility of skin", 1, (4, 105, 26, 1, 0), "2.176", "< 0.001", "***"),
    Cell("Visibility of skin", 2, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Visibility of skin", 3, (0, 136, 0, 0, 0), "2.000", "< 0.001", "***"),
    Cell("Visibility of skin", 4, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Artifacts", 1, (0, 7, 129, 0, 0), "2.949", "< 0.05", "*"),
    Cell("Artifacts", 2, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Artifacts", 3, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Artifacts", 4, (0, 0, 136, 0, 0), "3.000", "1.000", ""),
    Cell("Overall scores", 1, (0, 1, 30, 59, 46), "4.103", "< 0.001", "***"),
    Cell("Overall scores", 2, (0, 0, 130, 6, 0), "3.044", "< 0.05", "*"),
    Cell("Overall scores", 3, (0, 3, 9, 124, 0), "3.890", "< 0.001", "***"),
    Cell("Overall scores", 4, (0, 0, 135, 1, 0), "3.007", "1.000", ""),
)
# fmt: on

TABLE_1 = {
    "morphology": {"amorphous": 56, "fine pleomorphic": 31, "coarse heterogeneous": 5, "fine linear": 1},
    "distribution": {"diffused": 23, "grouped": 19, "regional": 48, "segmental": 2, "linear": 1},
    "BI-RADS": {"1": 0, "2": 49, "3": 42, "4": 1, "5": 1},
    "density": {"fatty": 1, "scattered": 17, "heterogeneous": 73, "extreme": 2},
}
TABLE_1_TEXT = {  # the same in the running text of section 3.1, in its order
    "morphology": {"amorphous": 56, "fine pleomorphic": 31, "coarse heterogeneous": 5, "fine linear": 1},
    "distribution": {"diffused": 23, "regional": 48, "grouped": 19, "segmental": 2, "linear": 1},
    "BI-RADS": {"1": 0, "2": 49, "3": 42, "4": 1, "5": 1},
    "density": {"fatty": 1, "scattered": 17, "heterogeneous": 73, "extreme": 2},
}


class Scores(NamedTuple):
    """PIQE of a group of breasts (Table 3): mean and standard deviation, the latter absent where n = 1."""

    original: tuple[float, float | None]
    sr: tuple[float, float | None]


TABLE_3_TOTAL = Scores((12.36, 5.03), (3.2, 1.33))
TEXT_TOTAL = Scores((12.4, 5.0), (3.2, 1.3))
TABLE_3 = {
    "density": {
        "fatty": Scores((12.93, None), (6.25, None)),
        "scattered": Scores((13.16, 4.3), (2.68, 0.98)),
        "heterogeneous": Scores((11.81, 4.79), (3.33, 1.35)),
        "extreme": Scores((22.81, 2.63), (1.8, 0.33)),
    },
    "morphology": {
        "amorphous": Scores((13.07, 5.21), (2.97, 1.21)),
        "fine pleomorphic": Scores((11.52, 4.59), (3.54, 1.47)),
        "coarse heterogeneous": Scores((8.01, 2.68), (4.4, 1.36)),
        "fine linear": Scores((10.82, 0.76), (2.55, 0.34)),
    },
    "distribution": {
        "diffused": Scores((12.18, 4.28), (3.22, 1.43)),
        "grouped": Scores((11.79, 4.8), (3.42, 1.3)),
        "regional": Scores((13.49, 5.84), (2.86, 1.25)),
        "segmental": Scores((10.57, 2.4), (3.17, 1.03)),
        "linear": Scores((8.27, 0.97), (3.87, 1.43)),
    },
}

# Section 2.2 and Fig. 2: Conv (filter size, filters, channels).
ARCHITECTURE = {"d": 56, "s": 12, "m": 4, "scale": 2}
LAYERS = {
    "feature_extraction": (5, 56, 1),
    "shrinking": (1, 12, 56),
    "expanding": (1, 56, 12),
    "deconvolution": (9, 1, 56),
}
MAPPING = (3, 12, 12)
