"""The paper's tables of any cohort, and what the paper left out: records in; text, CSV, JSON and LaTeX out."""

from .agreement import agreement, pairs_of_readers, repeated
from .cases import case_table
from .findings import table1
from .piqe import patients_respected, table3
from .printed import paper_table2
from .readers import preference, table2
from .render import RENDERS, Table, csv, json, latex, text

__all__ = [
    "RENDERS",
    "Table",
    "agreement",
    "case_table",
    "csv",
    "json",
    "latex",
    "pairs_of_readers",
    "paper_table2",
    "patients_respected",
    "preference",
    "repeated",
    "table1",
    "table2",
    "table3",
    "text",
]
