"""Mistakes made on purpose, and which vectors notice: PIQE's in its naive twin, the network's and the images' here."""
