"""What FSRCNN is: architecture, weights, and the reference in plain NumPy (the readable specification)."""
