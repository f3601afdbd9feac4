"""RESULTS → report.html and what stands beside it: tables, figures, methods, the paper's numbers (extra study)."""

from .write import Report, check_extra, write_report

__all__ = ["Report", "check_extra", "write_report"]
