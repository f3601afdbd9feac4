"""Honjo et al. 2022: what it prints, and what of it can be reproduced."""
