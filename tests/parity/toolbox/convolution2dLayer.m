function layer = convolution2dLayer(k, filters, varargin)
% Weights: rows, columns, channels in, filters; Bias: 1-by-1-by-filters
weights = option(varargin, 'Weights');
assert(size(weights, 1) == k && size(weights, 2) == k && size(weights, 4) == filters);
bias = option(varargin, 'Bias');
assert(size(bias, 1) == 1 && size(bias, 2) == 1 && size(bias, 3) == filters);
padding = option(varargin, 'Padding');
assert(strcmp(padding, 'same') || isequal(padding, 0));
shape = 'valid';
if ischar(padding)
    shape = 'same';
end
layer = entry('convolution', option(varargin, 'Name'), weights, bias, 1, shape);
end
