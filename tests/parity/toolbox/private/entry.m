function layer = entry(kind, name, weights, bias, stride, shape)
if nargin < 6
    shape = '';
end
layer = struct('kind', kind, 'name', name, 'weights', weights, 'bias', bias, 'stride', stride, 'shape', shape);
end
