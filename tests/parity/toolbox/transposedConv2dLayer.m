function layer = transposedConv2dLayer(k, filters, varargin)
% Weights: rows, columns, filters, channels in
weights = option(varargin, 'Weights');
assert(size(weights, 1) == k && size(weights, 2) == k && size(weights, 3) == filters);
assert(option(varargin, 'Cropping') == 0);
layer = entry('transposed', option(varargin, 'Name'), weights, option(varargin, 'Bias'), option(varargin, 'Stride'));
end
