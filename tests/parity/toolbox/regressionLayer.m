function layer = regressionLayer(varargin)
layer = entry('output', option(varargin, 'Name'), [], [], 1);
end
