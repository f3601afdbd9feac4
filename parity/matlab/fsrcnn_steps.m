function out = fsrcnn_steps(image, net)
%FSRCNN_STEPS  The network of Dong, Loy and Tang (ECCV 2016, section 3) in double, the result of every layer.
%   out = fsrcnn_steps(image, net)
%
%   image         M-by-N
%   net.names     cell: the convolutions' names, first to last
%   net.weights   cell: (out, in, row, column) each; the last one is the deconvolution's, (in, 1, 9, 9)
%   net.biases    cell: (out) each
%   net.slopes    cell: (out), or one for all; none for the deconvolution
%   net.border    'zero' or 'replicate'; net.scale 2, 3 or 4; net.offset 4 as released; net.input_mean usually 0
%
%   out.(name)         channels-by-M-by-N after each PReLU
%   out.deconvolution  (M * scale)-by-(N * scale)
%
%   Runs in MATLAB R2019a and later and in GNU Octave without packages.

maps = reshape(double(image) - net.input_mean, [1, size(image, 1), size(image, 2)]);
for i = 1:numel(net.names)
    maps = convolution(maps, double(net.weights{i}), double(net.biases{i}), double(net.slopes{i}), net.border);
    out.(net.names{i}) = maps;
end
out.deconvolution = deconvolution(maps, double(net.weights{end}), double(net.biases{end}), net);
end

function out = convolution(maps, weight, bias, slope, border)
% correlation: conv2 flips its kernel, so the kernel is flipped before
k = size(weight, 4);
out = zeros(size(weight, 1), size(maps, 2), size(maps, 3));
for o = 1:size(weight, 1)
    total = bias(o);
    for c = 1:size(maps, 1)
        kernel = reshape(weight(o, c, :, :), k, k);
        total = total + conv2(padded(plane(maps, c), (k - 1) / 2, border), rot90(kernel, 2), 'valid');
    end
    out(o, :, :) = max(total, 0) + slope(min(o, numel(slope))) * min(total, 0);
end
end

function out = deconvolution(maps, weight, bias, net)
% every feature stamps its kernel, unflipped, at the stride; cut from the offset. With a replicate border the
% features are continued by one row and column before, as in the authors' release.
[d, height, width] = size(maps);
s = net.scale;
ring = strcmp(net.border, 'replicate');
canvas = zeros(s * (height + 2 * ring) + 16, s * (width + 2 * ring) + 16);
for f = 1:d
    feature = padded(plane(maps, f), ring, net.border);
    [h, w] = size(feature);
    for ky = 1:9
        for kx = 1:9
            r = ky + s * (0:h - 1);
            c = kx + s * (0:w - 1);
            canvas(r, c) = canvas(r, c) + weight(f, 1, ky, kx) * feature;
        end
    end
end
first = net.offset + s * ring;
out = canvas(first + (1:s * height), first + (1:s * width)) + bias;
end

function p = plane(maps, c)
p = reshape(maps(c, :, :), size(maps, 2), size(maps, 3));
end

function p = padded(p, radius, border)
[M, N] = size(p);
if strcmp(border, 'replicate')
    p = p(min(max(1 - radius:M + radius, 1), M), min(max(1 - radius:N + radius, 1), N));
else
    inside = p;
    p = zeros(M + 2 * radius, N + 2 * radius);
    p(radius + (1:M), radius + (1:N)) = inside;
end
end
