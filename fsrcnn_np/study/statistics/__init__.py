"""The study's statistics, arrays in and named results out: the paper's section 2.5, and what it left out.

Only NumPy and SciPy are needed. R, statsmodels and figures in print are what the tests hold them against.
"""

from .agreement import (
    Agreement,
    Repeatability,
    krippendorff_alpha,
    krippendorff_alphas,
    repeatability,
    weighted_kappa,
)
from .clusters import Clustered, clustered_mean, resampled_sums
from .corrections import benjamini_hochberg, holm
from .ordinal import Preference, ordinal_preference
from .paired import PairedT, hedges_g, paired_t
from .signed_rank import PRESETS, SignedRank, ratings, signed_rank

__all__ = [
    "PRESETS",
    "Agreement",
    "Clustered",
    "PairedT",
    "Preference",
    "Repeatability",
    "SignedRank",
    "benjamini_hochberg",
    "clustered_mean",
    "hedges_g",
    "holm",
    "krippendorff_alpha",
    "krippendorff_alphas",
    "ordinal_preference",
    "paired_t",
    "ratings",
    "repeatability",
    "resampled_sums",
    "signed_rank",
    "weighted_kappa",
]
