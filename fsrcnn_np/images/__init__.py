"""What an image is: value range, colour, MATLAB's imresize, binning. Arrays in, arrays out."""
