"""What is measured on images of known truth: sharpness, contrast, noise, and how well a limited observer detects.

Arrays in, named results out; lengths in mm, whatever the pixel size, so that an original and its enlargement compare.
"""
