"""Tables that people's spreadsheets write."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fsrcnn_np.range_table import read_ranges
from fsrcnn_np.study.cases_file import read_cases
from fsrcnn_np.study.cohort import read_cohort
from fsrcnn_np.study.ratings_file import read_ratings

from ..mutate import words_changed
from ..target import Target, of_file

_FORMS = (str.encode, lambda text: text.replace(",", ";").encode("utf-8-sig"), lambda text: text.replace(",", "\t").encode("utf-16"))  # fmt: skip


def _seeds(*texts: str) -> Callable[[], Iterator[bytes]]:
    return lambda: (form(text) for text in texts for form in _FORMS)


def _changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    words = (",", ";", "\t", "\n", '"', "0:4095", "-5:5", "R", "L", "CC", "data_range", "path", "value", "1", "5", "NA")
    return words_changed(rng, data, seeds, words=words)


def _whole(read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Everything that was read is looked at, as those who print it do."""

    def look(path: Path) -> str:
        return repr(read(path))

    return look


TARGETS = {
    name: Target(name, seeds, of_file(".csv", _whole(read)), _changed, ratio=4096)
    for name, seeds, read in (
        (
            "data-ranges",
            _seeds("path,data_range\na.png,4095\nb.png,0:1\nc,\n", "Path,Data Range,x\na,1e3,=1\n"),
            read_ranges,
        ),
        (
            "cohort",
            _seeds(
                "path,patient,breast,view,density,morphology,distribution,birads,age,data_range,truth,site\n"
                'a.png,p1,L,CC,a,round,group,4,55,4095,b.png,"x, y"\n'
                "b.dcm::2,p1,R,mlo,,,,,41.5,-10:20,,\n"
            ),
            read_cohort,
        ),
        (
            "ratings",
            _seeds(
                "reader,criterion,case,value,comment,occasion,patient\nA,Artifacts,c1,3,=x,1,p\nB,Noise,c1,NA,,2,p\n",
                "reader,criterion,1,2,3,4,5\nA,Artifacts,1,2,3,4,5\nB,Noise,0,0,136,0,0\n",
            ),
            read_ratings,
        ),
        (
            "cases",
            _seeds("path,breast,view,age,piqe_original,piqe_bicubic,piqe_sr,error,site\na,L,CC,50,30.5,20,1e2,,x\n"),
            functools.partial(read_cases),
        ),
    )
}
