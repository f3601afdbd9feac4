function layer = imageInputLayer(size, varargin)
assert(strcmp(option(varargin, 'Normalization'), 'none') && numel(size) == 3);
layer = entry('input', option(varargin, 'Name'), [], [], 1);
end
