"""A cohort for tables, figures and reports: scores and ratings with known means, and no image."""

import numpy as np

from fsrcnn_np.study.paper import honjo
from fsrcnn_np.study.records import About, Blocks, Case, LeftOut, Rating, Study

MORPHOLOGY = ("amorphous", "fine pleomorphic", "coarse heterogeneous")
ABOUT = About(
    model="x2", sha256="0" * 64, architecture="FSRCNN(56,12,4) x2", epochs=101,
    versions={"fsrcnn-np": "0", "numpy": "2"},
    machine="a machine", data="made scores and simulated readers", settings={"data_range": "none"},
)  # fmt: skip


def cases(patients=20, seed=0):
    """Two views of each breast; every third patient has two; PIQE falls by 4 under SR and rises by 12 under bicubic."""
    rng = np.random.default_rng(seed)
    found = []
    for patient in range(patients):
        own = rng.normal()
        for breast in "LR" if patient % 3 == 0 else "L":
            for view in ("CC", "MLO"):
                original = 18 + own + rng.normal()
                found.append(
                    Case(
                        path=f"p{patient:03}_{breast}_{view}.png",
                        patient=f"p{patient:03}",
                        breast=breast,
                        view=view,
                        density="fatty" if patient == 1 else "heterogeneous",
                        morphology=MORPHOLOGY[patient % 3],
                        distribution="regional",
                        birads=str(2 + patient % 2),
                        age=40.0 + patient,
                        groups={"site": "A" if patient % 2 else "B"},
                        piqe_original=original,
                        piqe_bicubic=original + 12 + rng.normal() / 5,
                        piqe_sr=original - 4 + rng.normal() / 5,
                        blocks_original=Blocks(0.5, 0.3, 0.1),
                        scaling="0..4095 to 0..255",
                        data_range=(0.0, 4095.0),
                        seconds=2.0,
                        memory=400_000_000,
                    )
                )
    return found


def paper_ratings(criteria=None):
    """The paper's printed counts, given to 136 breasts of 93 patients in their order."""
    found = []
    for cell in honjo.TABLE_2:
        if criteria is None or cell.criterion in criteria:
            values = np.repeat(honjo.SCALE, cell.counts)
            for number, value in enumerate(values):
                patient = number if number < 93 else number - 93
                found.append(
                    Rating(str(cell.reader), f"breast {number}", cell.criterion, int(value), patient=str(patient))
                )
    return found


def study(**changes):
    """All of it, with one image that failed."""
    failed = Case("broken.png", error="broken.png: is no picture")
    whole = {
        "cases": [*cases(), failed], "ratings": paper_ratings(("Overall scores", "Artifacts")), "about": ABOUT,
        "left_out": [LeftOut("cohort.csv, row 7", "there is no such file")], "name": "made",
    }  # fmt: skip
    return Study(**whole | changes)
