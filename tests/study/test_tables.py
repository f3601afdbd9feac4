"""The tables: the paper's counts give the paper's Table 2; groups of one; bad rows; every format."""

import csv
import io
import json
import math
import re

import numpy as np
import pytest

from cohorts import cases, paper_ratings
from fsrcnn_np.cli import main
from fsrcnn_np.errors import FormatError, OptionError
from fsrcnn_np.reader.publish import ratings_csv
from fsrcnn_np.study import tables
from fsrcnn_np.study.cases_file import read_cases
from fsrcnn_np.study.paper import claims, honjo
from fsrcnn_np.study.ratings_file import read_ratings
from fsrcnn_np.study.records import Case, Rating
from fsrcnn_np.study.statistics import paired_t


def test_the_papers_ratings_give_the_papers_table():
    table = tables.table2(paper_ratings())
    assert len(table.records) == 56
    for cell, record in zip(honjo.TABLE_2, table.records, strict=True):
        assert (record["criterion"], record["reader"]) == (cell.criterion, str(cell.reader))
        assert f"{record['mean']:.3f}" == cell.mean
        if record["differing"]:
            assert claims._p_agrees(record["p"], cell.p)
        else:
            assert (record["p"], cell.p) == (1, "1.000")
            assert "every rating is 3" in record["note"]
    p = np.array([record["p"] for record in table.records])
    assert sum(p < 0.05) == 40
    assert sum(record["holm"] < 0.05 for record in table.records) == 37


@pytest.mark.parametrize("preset", ["r-3.6", "exact", "pratt", "scipy"])
def test_paper_printed_beside_recomputed(preset):
    table = tables.paper_table2(preset=preset)
    differing = [record for record in table.records if record["status"] == claims.DIFFERS]
    assert len(table.records) == 56
    assert len(differing) == 0 if preset == "r-3.6" else len(differing) >= 2


def test_first_readings_make_the_table_and_second_ones_the_repeatability():
    first = [Rating("1", f"c{i}", "Artifacts", 3 + i % 2) for i in range(10)]
    second = [Rating("1", f"c{i}", "Artifacts", 3, occasion=2) for i in range(6)]
    table = tables.table2([*first, *second])
    assert table.records[0]["n"] == 10
    assert "6 second and later readings" in table.notes[-1]
    repeated = tables.repeated([*first, *second]).records
    assert [(r["criterion"], r["pairs"], r["same"]) for r in repeated] == [
        ("All criteria", 6, 0.5), ("Artifacts", 6, 0.5),
    ]  # fmt: skip
    assert "No reader saw a case twice" in tables.repeated(first).notes[0]


def test_agreement_is_over_cases_that_two_rated():
    given = [Rating(reader, f"c{i}", "Artifacts", 1 + i % 5) for reader in ("1", "2", "10") for i in range(20)]
    given += [Rating("1", "alone", "Artifacts", 5), Rating("2", "unreadable", "Artifacts", None)]
    (alpha,) = tables.agreement(given).records
    assert (alpha["cases"], alpha["alpha"], alpha["same"]) == (20, 1, 1)
    kappa = tables.pairs_of_readers(given).records
    assert [(r["reader"], r["other"], r["cases"], r["kappa_quadratic"]) for r in kappa] == [
        ("1", "2", 20, 1), ("1", "10", 20, 1), ("2", "10", 20, 1),
    ]  # fmt: skip
    assert tables.table2(given).records[1]["unreadable"] == 1


def test_readers_of_one_kind_are_named_in_short():
    given = [Rating(f"simulated reader {n}", "c", "Artifacts", 3) for n in (1, 2)]
    assert tables.pairs_of_readers(given).head == ("", "simulated reader 1, 2")
    given = [Rating(name, "c", "Artifacts", 3) for name in ("Ann", "Anna")]
    assert tables.pairs_of_readers(given).head == ("", "Ann, Anna")


def test_preference_is_by_patients():
    records = tables.preference(paper_ratings(("Overall scores",))).records
    assert [record["reader"] for record in records] == ["1", "2", "3", "4"]
    assert records[0]["patients"] == 93
    assert records[0]["log_odds"] == pytest.approx(5.92, abs=0.01)
    assert records[1]["low"] > 0 > records[3]["low"]
    every = tables.preference(paper_ratings()).records
    assert len(every) == 56
    same = [r for r in every if (r["criterion"], r["reader"]) == ("Visibility of breast density", "2")]
    assert same[0]["low"] == pytest.approx(-same[0]["high"], abs=1e-6)
    assert same[0]["high"] == pytest.approx(0.49, abs=0.01)


def test_table3_is_the_paired_t_test_of_breasts():
    made = cases()
    table = tables.table3(made)
    everything = table.records[0]
    breasts = {}
    for case in made:
        breasts.setdefault((case.patient, case.breast), []).append((case.piqe_original, case.piqe_sr))
    original, sr = np.array([np.mean(views, 0) for views in breasts.values()]).T
    test = paired_t(sr, original)
    assert everything["n"] == len(breasts) == len(made) / 2
    assert (everything["sr_original_t"], everything["sr_original_p"]) == pytest.approx((test.t, test.p))
    assert everything["original_mean"] == pytest.approx(original.mean())
    assert everything["sr_sd"] == pytest.approx(sr.std(ddof=1))
    assert [r["group"] for r in table.records if r["grouping"] == "morphology"] == [
        "amorphous", "fine pleomorphic", "coarse heterogeneous",
    ]  # fmt: skip
    assert "site" in {record["grouping"] for record in table.records}
    assert len(tables.table3(made, unit="image").records[0:1]) == 1
    assert tables.table3(made, unit="image").records[0]["n"] == len(made)


def test_a_group_of_one_has_no_sd_as_in_the_papers_fatty_group():
    table = tables.table3(cases())
    record = next(record for record in table.records if record["group"] == "fatty")
    assert record["n"] == 1
    assert math.isnan(record["original_sd"])
    assert math.isnan(record["sr_original_p"])
    (line,) = [line for line in table.lines if line.cells[0] == "fatty"]
    assert "±" not in line.cells[2]
    patients = next(r for r in tables.patients_respected(cases(), draws=50).records if r["group"] == "fatty")
    assert math.isnan(patients["sr_original_low"])


def test_patients_respected():
    record = tables.patients_respected(cases(60)).records[0]
    assert record["patients"] == 60
    assert record["sr_original_mean"] == pytest.approx(-4, abs=0.1)
    assert record["sr_original_low"] == pytest.approx(record["sr_original_bootstrap_low"], abs=0.02)
    assert record["sr_original_high"] == pytest.approx(record["sr_original_bootstrap_high"], abs=0.02)


def test_scoreless_images_and_contradicting_views_are_said():
    made = [*cases(6), Case("broken.png", error="no picture")]
    made[0] = Case("p000_L_CC.png", "p000", "L", "CC", density="extreme", piqe_original=1, piqe_bicubic=2, piqe_sr=1)
    notes = " ".join(tables.table3(made).notes)
    assert "1 of 17 images have no scores" in notes
    assert "1 breasts whose views contradict" in notes


def test_no_scores_at_all_is_a_table_of_nothing():
    for make in (tables.table3, tables.patients_respected):
        table = make([Case("broken.png", error="no picture")])
        assert table.records[0]["n"] == 0
        assert all(render(table) for render in tables.RENDERS.values())


def test_table1_counts_patients_and_breasts():
    made = cases(20)
    rows = {(r["characteristic"], r["group"]): r for r in tables.table1(made).records}
    assert (rows["", "All"]["patients"], rows["", "All"]["breasts"]) == (20, 27)
    assert rows["", "Both breasts"]["patients"] == 7
    assert rows["", "Only MLO views"]["patients"] == 0
    assert rows["", "Mean age ± SD, years"]["mean"] == 49.5
    assert (rows["density", "fatty"]["patients"], rows["density", "fatty"]["breasts"]) == (1, 1)
    assert sum(r["patients"] for (name, _), r in rows.items() if name == "morphology") == 20


def test_images_without_a_patient_are_said_so():
    table = tables.table1([Case("a.png"), Case("b.png")])
    assert table.records[0]["patients"] == 2
    assert "2 of 2 images have no patient or no side" in table.notes[0]


def test_every_format_of_every_table():
    made, given = cases(6), paper_ratings(("Overall scores",))
    for table in (
        tables.table1(made), tables.table3(made), tables.patients_respected(made, draws=20), tables.case_table(made),
        tables.table2(given), tables.preference(given), tables.agreement(given, draws=20),
        tables.pairs_of_readers(given), tables.repeated(given), tables.paper_table2(),
    ):  # fmt: skip
        assert all(len(line.cells) in (1, len(table.head)) for line in table.lines)
        rows = list(csv.DictReader(io.StringIO(tables.csv(table))))
        assert len(rows) == len(table.records)
        document = json.loads(tables.json(table))
        assert (document["format"], len(document["rows"])) == ("fsrcnn-np study table", len(table.records))
        tex = tables.latex(table)
        assert tex.count("&") == (len(table.head) - 1) * (sum(not line.heading for line in table.lines) + 1)
        assert not re.search(r"{Table \d\. ", tex)  # LaTeX numbers it
        assert tables.text(table).startswith(table.title)


def test_csv_keeps_every_digit_and_formulas_stay_text():
    table = tables.case_table([Case("=cmd|' /C calc'!A0", patient="+1", piqe_original=0.1 + 0.2, groups={"s": "@x"})])
    (row,) = csv.DictReader(io.StringIO(tables.csv(table)))
    assert row["path"] == "'=cmd|' /C calc'!A0"
    assert (row["patient"], row["s"]) == ("'+1", "'@x")
    assert float(row["piqe_original"]) == 0.1 + 0.2


def test_latex_escapes():
    table = tables.case_table([Case(r"a_b&c%d#e{f}g~h^i\j<k>", error="±")])
    assert r"a\_b\&c\%d\#e\{f\}g\textasciitilde{}h\textasciicircum{}i\textbackslash{}j$<$k$>$" in tables.latex(table)


RATINGS = """\ufeffReader;Case;Criterion;Rating;Colour
1;a;Overall scores;3;red
1;b;Overall scores;4,0;
1;c;Overall scores;6;
1;d;Overall scores;n/a;
1;b;Overall scores;4;
2;a;Overall scores;3.5;
;c;Overall scores;2;
2;c;=evil();1;
2;c;Overall scores;1;;;too many
"""


def test_a_file_of_ratings_as_people_have_them(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(RATINGS, encoding="utf-8")
    found = read_ratings(path)
    assert [(r.reader, r.case, r.value) for r in found.ratings] == [
        ("1", "a", 3), ("1", "b", 4), ("1", "d", None), ("2", "c", 1),
    ]  # fmt: skip
    said = [str(one).removeprefix(f"{path}, ") for one in found.left_out]
    assert said == [
        "row 10: 7 cells under 5 columns",
        "row 4, column value: found '6'; allowed are the whole numbers 1 to 5, or NA",
        "row 6: repeats row 3; give a second reading the occasion 2",
        "row 7, column value: found '3.5'; allowed are the whole numbers 1 to 5, or NA",
        "row 8, column reader: is empty; give the reader",
    ]
    assert found.remarks == (f"{path}, column Colour: unknown, not read",)


def rated(tmp_path, text):
    path = tmp_path / "r.csv"
    path.write_bytes(text.encode())
    found = read_ratings(path)
    return found.ratings, [str(one).removeprefix(f"{path}, ") for one in found.left_out]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_only_line_ends_end_a_row(tmp_path, mark):
    written = [Rating("A", "a", "c", 3, f"dark{mark}light"), Rating("A", "b", "c", 4)]
    ratings, left_out = rated(tmp_path, ratings_csv(written))
    assert (list(ratings), left_out) == (written, [])


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path):
    text = 'reader,criterion,case,value,comment\r\nA,c,a,3,"x\r\ny\nz"\r\n\r\nA,c,b,9,\r\nA,c,d,1,,,7\r\n'
    ratings, left_out = rated(tmp_path, text)
    assert [one.comment for one in ratings] == ["x\r\ny\nz"]
    assert [one.split(":")[0] for one in left_out] == ["row 5", "row 4, column value"]


def test_the_same_reading_in_other_words_is_the_same(tmp_path):
    rows = ["Zo\u00eb,c,a,3,", "Zoe\u0308,c,a,4,1", "Zo\u00eb,c,a,5,1.0", "Zo\u00eb,c,a,5,2", "Zo\u00eb,c,a,5,02"]
    ratings, left_out = rated(tmp_path, "\n".join(["reader,criterion,case,value,occasion", *rows]))
    assert [(one.reader, one.value, one.occasion) for one in ratings] == [("Zo\u00eb", 3, 1), ("Zo\u00eb", 5, 2)]
    assert [one.split(";")[0] for one in left_out] == [
        "row 3: repeats row 2", "row 4: repeats row 2", "row 6: repeats row 5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "head", ["sep=;\r\nreader;criterion;case;value", 'reader;criterion;case;value;"a, b, c, d, e, f"']
)
def test_the_delimiter_is_the_one_that_makes_columns(tmp_path, head):
    ratings, left_out = rated(tmp_path, f"{head}\r\nA;c;a;3,0\r\nA;c;b;7\r\n")
    assert ([one.value for one in ratings], len(left_out)) == ([3], 1)
    assert left_out[0].startswith("row 4" if head.startswith("sep") else "row 3")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_counts_in_any_encoding(tmp_path, encoding, delimiter):
    path = tmp_path / "r.csv"
    rows = [["reader", "criterion", "1", "2", "3", "4", "5"], ["Jürgen", "Schärfe", "0", "15", "100", "17", "4"]]
    path.write_text("\n".join(map(delimiter.join, rows)), encoding=encoding)
    table = tables.table2(read_ratings(path).ratings)
    assert (table.records[0]["reader"], table.records[0]["n"]) == ("Jürgen", 136)
    assert table.records[0]["p"] == pytest.approx(0.14303, abs=5e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column criterion; found nothing"),
        ("a,b\n1,2", "no column criterion; found a, b; needed are criterion, reader"),
        ("reader,criterion\n1,2", "needed are reader, criterion, case, value"),
        ("reader,criterion,case,value,rating\n", "two columns value"),
        ("reader,criterion,case,value\n\0", "is no text"),
        ('reader,criterion,case,value,comment\nA,c,a,3,"open\nA,c,b,4,\n', "row 2 is no CSV .unexpected end of data"),
        ("reader,criterion,case,value,comment\nA,c,a,3,\x81\n", "is neither UTF-8, UTF-16 nor Windows-1252"),
        ("reader,criterion,1,2,3,4,5\nA,x,5e4,0,5e4,0,1\n", "up to row 2 the counts come to 100001 ratings; allowed"),
    ],
)
def test_files_that_are_no_ratings(tmp_path, text, message):
    path = tmp_path / "r.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(FormatError, match=message):
        read_ratings(path)


def test_cases_written_and_read_again(tmp_path):
    path, made = tmp_path / "cases.csv", cases(5)
    path.write_text(tables.csv(tables.case_table(made)))
    found = read_cases(path)
    assert found.left_out == ()
    for make in (tables.table1, tables.table3):
        assert tables.json(make(found.cases)) == tables.json(make(made))


def test_cases_with_faults(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(
        "path;piqe_original;piqe_bicubic;piqe_sr;breast;age\na;1,5;2;x;left;200\na;1;2;3;;\n;1;2;3;;\nb;1;2;3;Q;\n"
    )
    found = read_cases(path)
    assert (found.cases[0].piqe_original, found.cases[0].breast, found.cases[0].age) == (1.5, "L", None)
    said = [str(one).removeprefix(f"{path}, ") for one in found.left_out]
    assert [one.split(":")[0].replace(", column", "") for one in said] == [
        "row 2 piqe_sr", "row 2 age", "row 3 path", "row 4 path", "row 5 breast",
    ]  # fmt: skip


def test_unknown_unit_and_preset():
    with pytest.raises(OptionError, match="unit 'dog'; allowed are breast, image"):
        tables.table3(cases(3), unit="dog")
    with pytest.raises(OptionError, match="preset"):
        tables.table2([Rating("1", "a", "x", 3)], preset="dog")


def test_the_command(tmp_path, capsys):
    path, out = tmp_path / "r.csv", tmp_path / "t.csv"
    path.write_text(RATINGS, encoding="utf-8")
    assert main(["study", "table2", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("Table 2")
    assert len(said.err.splitlines()) == 6
    assert main(["study", "table2", str(path), "-o", str(out)]) == 1
    assert next(csv.DictReader(io.StringIO(out.read_text())))["n"] == "2"
    before = out.read_text()
    capsys.readouterr()
    assert main(["study", "table2", "--paper", "-o", str(out)]) == 1
    assert "t.csv: exists, made otherwise: line 1 " in capsys.readouterr().err
    assert main(["study", "table2", str(path), "-o", str(out)]) == 1  # of the rows that are wrong
    assert "is kept" in capsys.readouterr().out
    assert out.read_text() == before
    assert main(["study", "table2", "--paper", "-o", str(out), "--overwrite"]) == 0
    assert len(out.read_text().splitlines()) == 57
    for part in ("preference", "agreement", "kappa", "repeatability"):
        assert main(["study", "table2", str(path), "--part", part, "--format", "json"]) == 1


def test_the_commands_of_cases(tmp_path, capsys):
    path = tmp_path / "cases.csv"
    path.write_text(tables.csv(tables.case_table(cases(5))))
    for words in (["table1"], ["table3"], ["table3", "--patients"], ["table3", "--unit", "image"]):
        assert main(["study", words[0], str(path), *words[1:]]) == 0
        assert capsys.readouterr().out.startswith("Table")


def test_wrong_usage_and_missing_files(tmp_path, capsys):
    assert main(["study", "table2"]) == 2
    assert main(["study", "table2", "--paper", "x.csv"]) == 2
    assert main(["study", "table1", "a.csv", "-o", "t.doc"]) == 2
    assert main(["study", "table1", str(tmp_path / "none.csv")]) == 2
    assert main(["study", "table3", str(tmp_path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 5
    assert all(line.startswith("fsrcnn-np: ") for line in errors)


def test_bootstrapped_effects_of_equal_differences_are_none_and_of_others_reasonable():
    """Drawn patients who all differ by the same have no spread: not one of 1e-8."""

    def table(differences):
        made = [
            Case(path=str(i), patient=f"p{i}", breast="L", piqe_original=base, piqe_bicubic=base, piqe_sr=base + d)
            for i, (base, d) in enumerate(zip((12.34, 31.1, 77.7, 20.05), differences, strict=True))
        ]
        return tables.patients_respected(made).records[0]

    same, other = table([-9.1] * 4), table([-9.1, -9.1, -9.1, -2.3])
    for name in ("g_low", "g_high"):
        assert math.isnan(same[f"sr_original_{name}"])
        assert abs(other[f"sr_original_{name}"]) < 100
    assert same["sr_original_bootstrap_low"] == pytest.approx(-9.1)
    pairs = [
        Case(path=str(i), piqe_original=b, piqe_bicubic=b, piqe_sr=b - 9.1) for i, b in enumerate((12.3, 31.1, 7.7))
    ]
    assert math.isnan(tables.table3(pairs).records[0]["sr_original_g"])
