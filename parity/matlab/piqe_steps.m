function out = piqe_steps(A, span)
%PIQE_STEPS  Every step of the perception-based image quality evaluator, as piqe of MATLAB R2018b computes it.
%   out = piqe_steps(A)        A: M-by-N or M-by-N-by-3; uint8, uint16, int16, single or double
%   out = piqe_steps(A, span)  the value that becomes 255, instead of what the class says
%
%   out.grey  M-by-N, A's class     out.x, mu, sigma, z  double, padded to multiples of 16
%   out.v, active, artifact, noise  one element a block; the decisions inside active blocks only
%   out.score                       double
%   out.activity_mask, noticeable_artifacts_mask, noise_mask  logical, M-by-N
%
%   Source: N. Venkatanath et al., Blind image quality evaluation using perception based features, NCC 2015, and
%   the numbers of MATLAB's Image Processing Toolbox where they differ. Runs in MATLAB R2019a and later and in GNU
%   Octave without packages.

[M, N, ~] = size(A);
rows = min(1:16 * ceil(M / 16), M);      % replicate, at the bottom and the right only
columns = min(1:16 * ceil(N / 16), N);
padded = A(rows, columns, :);
if size(A, 3) == 3 && isa(A, 'int16') && nargin < 2
    padded = to_double(padded);
end
grey = padded;
if size(A, 3) == 3
    grey = rgb_to_grey(padded);
end
if nargin < 2
    x = round(255 * to_double(grey));    % round: half away from zero
else
    x = round(255 * double(grey) / span);
end
mu = gaussian7(x);
sigma = sqrt(abs(gaussian7(x .* x) - mu .* mu));
z = (x - mu) ./ (sigma + 1);

m = size(x, 1) / 16;
n = size(x, 2) / 16;
v = zeros(m, n);
active = false(m, n);
artifact = false(m, n);
noise = false(m, n);
D = 0;
for j = 1:n
    for i = 1:m
        block = z(16 * i - 15:16 * i, 16 * j - 15:16 * j);
        v(i, j) = var(block(:));
        active(i, j) = v(i, j) > 0.1;
        if active(i, j)
            artifact(i, j) = has_flat_segment(block);
            noise(i, j) = is_noisy(block, sqrt(v(i, j)));
            D = D + artifact(i, j) * (1 - v(i, j)) + noise(i, j) * v(i, j);
        end
    end
end

out.grey = grey(1:M, 1:N);
out.x = x;
out.mu = mu;
out.sigma = sigma;
out.z = z;
out.v = v;
out.active = active;
out.artifact = artifact;
out.noise = noise;
out.score = 100 * (D + 1) / (sum(active(:)) + 1);
out.activity_mask = per_pixel(active, M, N);
out.noticeable_artifacts_mask = per_pixel(artifact, M, N);
out.noise_mask = per_pixel(noise, M, N);
end

function d = to_double(A)
% im2double, class by class
switch class(A)
    case 'uint8'
        d = double(A) / 255;
    case 'uint16'
        d = double(A) / 65535;
    case 'int16'
        d = (double(A) + 32768) / 65535;
    otherwise
        d = double(A);
end
end

function grey = rgb_to_grey(A)
% rgb2gray with the toolbox's coefficients; Octave's own has six digits and gives other pixels
d = double(A);
grey = (d(:, :, 1) * 0.29893602129377539 + d(:, :, 2) * 0.58704307445112125) + d(:, :, 3) * 0.11402090425510336;
grey = cast(grey, class(A));             % an integer class rounds half away from zero
end

function y = gaussian7(x)
% 7 taps, standard deviation 7/6, replicate border, down the columns first
half = [0.34263151546524945, 0.2372960771171706, 0.07882796468173002, 0.012560200468474614];
h = half([4 3 2 1 2 3 4]);
[M, N] = size(x);
y = conv2(h(:), h(:), x(min(max(-2:M + 3, 1), M), min(max(-2:N + 3, 1), N)), 'valid');
end

function yes = has_flat_segment(block)
% any of the 11 segments of 6 samples on any of the 4 edges
edges = [block(1, :); block(16, :); block(:, 1).'; block(:, 16).'];
yes = false;
for first = 1:11
    yes = yes || any(std(edges(:, first:first + 5), 0, 2) < 0.1);
end
end

function yes = is_noisy(block, deviation)
% centre: columns 8 and 9; surround: all but 8 and 10, so that column 9 is in both
centre = block(:, 8:9);
surround = block(:, [1:7, 9, 11:16]);
ratio = std(centre(:)) / std(surround(:));
if isnan(ratio)
    ratio = 0;
end
beta = abs(deviation - ratio) / max(deviation, ratio);
yes = deviation > 2 * beta;              % false where beta is NaN
end

function mask = per_pixel(blocks, M, N)
mask = blocks(ceil((1:M) / 16), ceil((1:N) / 16));
end
