"""Damaged, lying and hostile input for everything that reads: `python -m fuzz TARGET --seconds N --seed S`.

`targets/` has one small function per reader, `oracle.py` what may come of a case, `mutate.py` and `shapes.py` how small
valid files are changed: bytes, words, and the parts of each format, with lengths and checksums put right again. Each
campaign runs in a child process, so that a crash is a finding, with its input kept.
"""
