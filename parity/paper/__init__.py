"""Honjo et al. 2022 and the FSRCNN paper, line by line: `python -m parity paper`."""
