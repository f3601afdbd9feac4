function layer = entry(kind, name, weights, bias, stride)
layer = struct('kind', kind, 'name', name, 'weights', weights, 'bias', bias, 'stride', stride);
end
