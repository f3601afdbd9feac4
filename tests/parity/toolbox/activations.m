function X = activations(network, X, name, varargin)
assert(isa(X, 'single'));
for layer = network(:).'
    X = single(applied(layer, X));
    if strcmp(layer.name, name)
        return
    end
end
error('activations:name', 'there is no layer %s', name);
end

function Y = applied(layer, X)
W = double(layer.weights);
X = double(X);
switch layer.kind
    case 'convolution'
        lost = strcmp(layer.shape, 'valid') * (size(W, 1) - 1);
        Y = zeros(size(X, 1) - lost, size(X, 2) - lost, size(W, 4));
        for f = 1:size(W, 4)
            for c = 1:size(W, 3)
                Y(:, :, f) = Y(:, :, f) + conv2(X(:, :, c), rot90(W(:, :, c, f), 2), layer.shape);
            end
            Y(:, :, f) = Y(:, :, f) + double(layer.bias(1, 1, f));
        end
    case 'border'
        for side = 1:W
            X = cat(1, X(1, :, :), X, X(end, :, :));
            X = cat(2, X(:, 1, :), X, X(:, end, :));
        end
        Y = X;
    case 'prelu'
        Y = max(X, 0) + W .* min(X, 0);
    case 'transposed'
        s = layer.stride;
        Y = zeros(s * (size(X, 1) - 1) + size(W, 1), s * (size(X, 2) - 1) + size(W, 2)) + double(layer.bias);
        for i = 1:size(X, 1)
            for j = 1:size(X, 2)
                r = s * (i - 1) + (1:size(W, 1));
                c = s * (j - 1) + (1:size(W, 2));
                Y(r, c) = Y(r, c) + sum(W(:, :, 1, :) .* reshape(X(i, j, :), 1, 1, 1, []), 4);
            end
        end
    otherwise
        Y = X;
end
end
