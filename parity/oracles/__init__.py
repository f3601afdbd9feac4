"""Who else computed this: GNU Octave, R, PyTorch, MATLAB's values in print, MATLAB itself by its golden files."""
