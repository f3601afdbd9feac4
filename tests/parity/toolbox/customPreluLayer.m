function layer = customPreluLayer(name, alpha)
assert(size(alpha, 1) == 1 && size(alpha, 2) == 1);
layer = entry('prelu', name, alpha, [], 1);
end
