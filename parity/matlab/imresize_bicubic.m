function B = imresize_bicubic(A, scale)
%IMRESIZE_BICUBIC  Bicubic resizing with antialiasing as MATLAB's imresize(A, scale) does it.
%   A: M-by-N or M-by-N-by-3, uint8, uint16, int16, single or double; B: ceil(M * scale)-by-ceil(N * scale), its class.
%   Keys' kernel, a = -0.5, stretched by 1 / scale when shrinking; borders mirrored with the edge repeated; down the
%   columns first. Integer classes are rounded after each of the two passes: so it is reported of MATLAB, and
%   export_goldens holds it against MATLAB's own imresize where that runs.
%
%   Octave's own imresize computes something else. This file runs in MATLAB R2019a and later and in GNU Octave
%   without packages.
B = down_columns(A, scale);
B = permute(down_columns(permute(B, [2 1 3]), scale), [2 1 3]);
end

function B = down_columns(A, scale)
length_in = size(A, 1);
length_out = ceil(length_in * scale);
shrink = min(scale, 1);
support = 4 / shrink;
taps = ceil(support) + 2;
u = (1:length_out)' / scale + 0.5 * (1 - 1 / scale);
left = floor(u - support / 2);
B = zeros([length_out, size(A, 2), size(A, 3)]);
A_double = double(A);
total = zeros(length_out, 1);
weights = zeros(length_out, taps);
for t = 1:taps
    weights(:, t) = shrink * keys(shrink * (u - (left + t - 1)));
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

function k = keys(x)
x = abs(x);
k = (1.5 * x .^ 3 - 2.5 * x .^ 2 + 1) .* (x <= 1) + (-0.5 * x .^ 3 + 2.5 * x .^ 2 - 4 * x + 2) .* (x > 1 & x <= 2);
end
