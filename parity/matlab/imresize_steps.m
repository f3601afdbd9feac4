function B = imresize_steps(A, scale, method, antialiasing)
%IMRESIZE_STEPS  Resizing as MATLAB's imresize(A, scale, method, 'Antialiasing', antialiasing) does it.
%   A: M-by-N or M-by-N-by-3, uint8, uint16, int16, single or double. scale: a number, B is then
%   ceil(M * scale)-by-ceil(N * scale); or [rows columns]. method: 'bicubic' (default), 'bilinear', 'box', 'lanczos3' or
%   'nearest'. antialiasing: default true, but false for 'nearest'. B is of A's class.
%
%   The kernel is stretched by 1 / scale when shrinking; borders mirrored with the edge repeated; the dimension of the
%   smaller scale first, else down the columns first. Integer classes are rounded after each of the two passes.
%   Octave's own imresize computes something else. This file runs in MATLAB R2019a and later and in GNU Octave
%   without packages.
if nargin < 3
    method = 'bicubic';
end
if nargin < 4
    antialiasing = ~strcmp(method, 'nearest');
end
if isscalar(scale)
    lengths = ceil([size(A, 1) size(A, 2)] * scale);
    scales = [scale scale];
else
    lengths = scale(:)';
    scales = lengths ./ [size(A, 1) size(A, 2)];
end
B = A;
order = [1 2];
if scales(2) < scales(1)
    order = [2 1];
end
for dimension = order
    if dimension == 2
        B = permute(B, [2 1 3]);
    end
    B = down_columns(B, lengths(dimension), scales(dimension), method, antialiasing);
    if dimension == 2
        B = permute(B, [2 1 3]);
    end
end
end

function B = down_columns(A, length_out, scale, method, antialiasing)
length_in = size(A, 1);
shrink = 1;
if antialiasing
    shrink = min(scale, 1);
end
support = width_of(method) / shrink;
taps = ceil(support) + 2;
u = (1:length_out)' / scale + 0.5 * (1 - 1 / scale);
left = floor(u - support / 2);
B = zeros([length_out, size(A, 2), size(A, 3)]);
A_double = double(A);
total = zeros(length_out, 1);
weights = zeros(length_out, taps);
for t = 1:taps
    weights(:, t) = shrink * kernel(shrink * (u - (left + t - 1)), method);
    total = total + weights(:, t);
end
for t = 1:taps
    from = mod(left + t - 2, 2 * length_in);            % 0-based, folded
    from = min(from, 2 * length_in - 1 - from) + 1;
    w = weights(:, t) ./ total;
    for c = 1:size(A, 3)
        B(:, :, c) = B(:, :, c) + repmat(w, 1, size(A, 2)) .* A_double(from, :, c);
    end
end
B = cast(B, class(A));                                  % an integer class rounds half away from zero and saturates
end

function n = width_of(method)
switch method
    case {'nearest', 'box'}
        n = 1;
    case 'bilinear'
        n = 2;
    case 'bicubic'
        n = 4;
    case 'lanczos3'
        n = 6;
    otherwise
        error('parity:method', 'method %s is unknown', method);
end
end

function k = kernel(x, method)
switch method
    case {'nearest', 'box'}
        k = double(x >= -0.5 & x < 0.5);
    case 'bilinear'
        k = max(1 - abs(x), 0);
    case 'bicubic'                                      % Keys, a = -0.5
        x = abs(x);
        k = (1.5 * x .^ 3 - 2.5 * x .^ 2 + 1) .* (x <= 1) ...
            + (-0.5 * x .^ 3 + 2.5 * x .^ 2 - 4 * x + 2) .* (x > 1 & x <= 2);
    case 'lanczos3'
        k = (sin(pi * x) .* sin(pi * x / 3) + eps) ./ (pi ^ 2 * x .^ 2 / 3 + eps) .* (abs(x) < 3);
end
end
