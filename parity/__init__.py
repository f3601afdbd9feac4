"""The parity suite: who else computed this, and how far apart the answers are. Run `python -m parity`."""
