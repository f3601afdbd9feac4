"""The report: one page that needs nothing else, with every table, every number of the paper, and what was left out."""

import base64
import csv
import datetime
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cohorts import ABOUT, cases, paper_ratings, study
from fsrcnn_np.cli import main
from fsrcnn_np.errors import FsrcnnError, OptionError
from fsrcnn_np.study import store
from fsrcnn_np.study.cohort import Cohort, Entry
from fsrcnn_np.study.paper import claims
from fsrcnn_np.study.records import Case, LeftOut, Rating
from fsrcnn_np.study.report import write, write_report
from fsrcnn_np.study.report.methods import methods
from fsrcnn_np.study.report.paper import MEANINGS, SUBSTITUTE, paper_lines, summary
from fsrcnn_np.study.tables import table1, table3

DATE = datetime.date(2026, 11, 26)
EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Tags, where links and pictures lead, and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.targets, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.targets += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def no_charts(monkeypatch):
    """Charts have tests of their own, and take time."""
    monkeypatch.setattr(write, "_charts", lambda *_: [])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    done = write_report(study(), folder, plates=False, date=DATE)
    return folder, done, Page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_page_needs_no_script_and_no_network(made):
    _, _, page = made
    assert not {"script", "iframe", "link", "object", "form"} & set(page.tags)
    assert all(target.startswith(("data:", "#")) for target in page.targets)
    assert page.tags.count("img") == 4
    source = made[1].path.read_text(encoding="utf-8")
    assert "default-src 'none'" in source
    assert "@media print" in source


def test_every_table_has_its_csv_beside_and_inside(made):
    folder, _, page = made
    inside = [target for target in page.targets if target.startswith("data:text/csv")]
    beside = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}
    names = {"table1", "table2", "table2_preference", "table2_agreement", "table2_kappa", "table3", "table3_patients"}
    assert {f"{name}.csv" for name in names | {"cases", "left_out", "table2_repeatability"}} == set(beside)
    for target in inside:
        assert base64.b64decode(target.partition("base64,")[2]).decode() in beside.values()
    assert len(inside) == len(names)
    for path in folder.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["format"] == "fsrcnn-np study table"
    assert len(list((folder / "figures").iterdir())) == 8


def test_what_was_left_out_is_listed(made):
    folder, _, page = made
    assert "2 left out" in page.text
    assert "broken.png: is no picture" in page.text
    rows = list(csv.DictReader(io.StringIO((folder / "left_out.csv").read_text(encoding="utf-8"))))
    assert rows[0] == {"what": "cohort.csv, row 7", "why": "there is no such file"}
    assert rows[1]["what"] == "broken.png"


def test_the_page_says_what_the_data_are_and_with_what_they_were_made(made):
    folder, _, page = made
    sentences = (
        "Made scores and simulated readers.",
        "they say nothing of patients",
        ABOUT.sha256,
        "trained for 101 epochs",
        "stored values 0..4095 to 0..255",
        "zeros dropped",
        "PIQE fell from",
    )
    for sentence in sentences:
        assert sentence in page.text
    assert (folder / "methods.txt").read_text(encoding="utf-8").strip() in page.text


def test_the_same_study_is_the_same_page(made, tmp_path):
    write_report(study(), tmp_path, plates=False, date=DATE)
    assert (tmp_path / "report.html").read_bytes() == made[1].path.read_bytes()


def test_every_number_of_the_paper_has_a_status():
    whole = study()
    lines = paper_lines(whole, table1(whole.cases), table3(whole.cases))
    assert {line.status for line in lines} <= MEANINGS.keys()
    assert claims.DIFFERS not in {line.status for line in lines}
    assert sum(line.place == "Table 2" for line in lines) == 56
    by_claim = {(line.place, line.claim): line for line in lines}
    total = by_claim["Table 3", "PIQE of the SR mammograms"]
    assert (total.printed, total.status) == ("3.2 ± 1.33", SUBSTITUTE)
    assert "bicubic" in total.computed
    assert by_claim["Table 3", "PIQE, density fatty"].status == SUBSTITUTE
    assert by_claim["Table 3", "PIQE, density extreme"].status == claims.NOT_REPRODUCIBLE
    assert by_claim["Section 4", "a mammogram within a minute"].status == claims.REPRODUCED


def test_a_slow_study_says_so():
    slow = study(cases=[Case("a.png", piqe_original=1, piqe_bicubic=2, piqe_sr=1, seconds=61.0)])
    lines = paper_lines(slow, table1(slow.cases), table3(slow.cases))
    assert [line.claim for line in lines if line.status == claims.DIFFERS] == ["a mammogram within a minute"]


def test_markup_and_formulas_stay_what_they_are(tmp_path, no_charts):
    nasty = [
        Case(f"={EVIL}{i}.png", patient=EVIL, breast="L", density=EVIL, groups={EVIL: f"@{EVIL}"},
             piqe_original=3.0 + i, piqe_bicubic=4.0, piqe_sr=2.0, scaling=EVIL, error="")
        for i in range(3)
    ]  # fmt: skip
    ratings = [Rating(EVIL, f"={EVIL}{i}.png", f"+{EVIL}", 2 + i) for i in range(3)]
    whole = study(cases=nasty, ratings=ratings, left_out=[LeftOut(EVIL, EVIL)], name=EVIL)
    write_report(whole, tmp_path, plates=False)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert EVIL in page.text
    for path in tmp_path.glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row)


@pytest.mark.parametrize(
    "changes",
    [
        {"ratings": ()},
        {"cases": [Case("broken.png", error="is no picture")], "ratings": ()},
        {"cases": [Case("a.png", piqe_original=1, piqe_bicubic=2, piqe_sr=1)], "left_out": ()},
        {"ratings": [Rating("1", "p000_L_CC.png", "Artifacts", None)]},
    ],
)
def test_little_is_a_report_as_well(tmp_path, changes):
    done = write_report(study(**changes), tmp_path, plates=False)
    assert "The paper's numbers" in Page(done.path.read_text(encoding="utf-8")).text


def test_the_methods_say_how_ratings_were_tested_and_only_what_was_done():
    assert "by Pratt" in methods(study(), preset="pratt", unit="breast")
    assert "rated" not in methods(study(ratings=()), preset="r-3.6", unit="image")
    mixed = [Case(str(i), scaling=f"0..{i} to 0..255", piqe_sr=1.0) for i in range(6)]
    assert "others (n = 2)" in methods(study(cases=mixed, ratings=()), preset="r-3.6", unit="image")


def test_what_a_report_refuses(tmp_path, no_charts):
    with pytest.raises(OptionError, match="preset"):
        write_report(study(), tmp_path, preset="dog")
    with pytest.raises(OptionError, match="no such image"):
        write_report(study(), tmp_path, best="dog.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(FsrcnnError):
        write_report(study(), tmp_path / "file", plates=False)


def test_plates_that_cannot_be_made_are_left_out(tmp_path, no_charts):
    done = write_report(study(folder=str(tmp_path)), tmp_path, best="p001_L_CC.png")
    assert any("p001_L_CC.png" in one.what and "--weights FILE" in one.why for one in done.left_out)
    assert "plate of p001_L_CC.png" in Page(done.path.read_text(encoding="utf-8")).text


def test_plates_in_the_page(tmp_path, small, model, no_charts):
    from fsrcnn_np.files import write

    write(tmp_path / "a.png", small.pixels)
    scored = [Case("a.png", piqe_original=1, piqe_bicubic=2, piqe_sr=1, data_range=(0, 4095))]
    whole = study(cases=scored, ratings=(), folder=str(tmp_path))
    done = write_report(whole, tmp_path / "out", best="a.png", weights=model)
    assert done.left_out == ()
    page = Page(done.path.read_text(encoding="utf-8"))
    assert sum(target.startswith("data:image/png") for target in page.targets) == 1
    assert "chosen by hand" in page.text
    assert (tmp_path / "out" / "figures" / "plate_best.svg").exists()


def test_without_jinja2_one_line(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(FsrcnnError, match=r"pip install 'fsrcnn-np\[study\]'"):
        write_report(study(), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["run", "COHORT"], ["demo"]])
def test_without_jinja2_nothing_is_measured_for_a_report(command, tmp_path, monkeypatch, capsys):
    """Not after hours of measuring."""
    import sys

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pgm").write_bytes(b"P5 2 2 255 abcd")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    words = [str(tmp_path / "in") if word == "COHORT" else word for word in command]
    assert main(["study", *words, "-o", str(tmp_path / "out")]) == 2
    assert capsys.readouterr() == ("", (
        "fsrcnn-np: reports need Jinja2: pip install 'fsrcnn-np[study]'; or measure without a report: --no-report\n"
    ))  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path, capsys, no_charts):
    with_store = tmp_path / "results"
    kept = store.Store(with_store, ABOUT, {"model": "x2"})
    entry = Entry("a.png", str(tmp_path / "a.png"), "a.png")
    kept.begin(Cohort("made", (entry,), (LeftOut("b.png", "is no picture"),)))
    kept.close()
    store.add_ratings(with_store, paper_ratings(("Artifacts",)))
    assert main(["study", "report", str(with_store), "--no-plates"]) == 0
    assert capsys.readouterr().out.startswith("wrote ")
    assert "is no picture" in (with_store / "report.html").read_text(encoding="utf-8")
    ratings = tmp_path / "r.csv"
    ratings.write_text("reader,criterion,case,value\n1,Artifacts,a,4\n1,Artifacts,b,9\n")
    before = (with_store / "report.html").read_bytes()
    assert main(["study", "report", str(with_store), "--no-plates"]) == 0
    assert "exists already and is kept; --overwrite" in capsys.readouterr().out
    others = ["study", "report", str(with_store), "--no-plates", "--ratings", str(ratings)]
    assert main(others) == 1
    assert ": exists, made otherwise: line " in capsys.readouterr().err
    assert (with_store / "report.html").read_bytes() == before
    assert main([*others, "--overwrite"]) == 1
    said = capsys.readouterr().err
    assert "row 3, column value: found '9'" in said
    assert "row 3, column value found '9'" in Page((with_store / "report.html").read_text(encoding="utf-8")).text
    assert main(["study", "table2", str(with_store)]) == 0
    assert main(["study", "report", str(tmp_path / "none")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_remarks_are_shown(tmp_path, no_charts):
    odd = Case("a.png", piqe_original=1, piqe_bicubic=2, piqe_sr=1, remarks=("12 bits in 16, it seems",))
    done = write_report(study(cases=[odd], ratings=()), tmp_path, plates=False)
    assert "a.png 12 bits in 16, it seems" in Page(done.path.read_text(encoding="utf-8")).text


def test_many_left_out_are_shortened(tmp_path, no_charts):
    whole = study(left_out=[LeftOut(f"{i}.png", "no") for i in range(700)], cases=cases(3), ratings=())
    done = write_report(whole, tmp_path, plates=False)
    text = Page(done.path.read_text(encoding="utf-8")).text
    assert "700 left out" in text
    assert "200 more are in left_out.csv" in text


def test_the_models_checkerboard_is_told_and_warned_of(tmp_path, no_charts):
    small = {"offset_amplitude": 0.0004, "gain_amplitude": 0.0012, "warning": ""}
    large = small | {"offset_amplitude": 0.0123, "warning": "the model draws a checkerboard of 1.23 %"}
    for found in (small, large):
        made = replace(study(), about=replace(ABOUT, checkerboard=found))
        text = Page(write_report(made, tmp_path, plates=False, overwrite=True).path.read_text(encoding="utf-8")).text
        assert f"a checkerboard of {100 * found['offset_amplitude']:.3f} % of the value range and 0.120 %" in text
        assert ("Warning: the model draws" in text) == bool(found["warning"])


def test_the_summary_tells_psnr_and_ssim_where_a_truth_was_given():
    def told(*made):
        return summary(study(cases=made), table1(made), table3(made))[-1]

    known = Case(
        "a.png", piqe_original=9, piqe_bicubic=20, piqe_sr=8, psnr=31.5, psnr_bicubic=30, ssim=0.9, ssim_bicubic=0.8
    )
    line = "Against the truth of {}: PSNR of bicubic 30.00{} dB, of SR {} dB; SSIM 0.8000{} and 0.9000{}."
    assert told(known) == line.format("1 image", "", "31.50", "", "")
    other, blind = replace(known, path="b.png", psnr=33.5), replace(known, path="c.png", psnr=None)
    assert told(known, other, blind) == line.format("2 images", " ± 0.00", "32.50 ± 1.41", " ± 0.0000", " ± 0.0000")
    assert "Against the truth" not in told(blind)
