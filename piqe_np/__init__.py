"""PIQE as MATLAB computes it."""
