function B = bin2x2_steps(A)
%BIN2X2_STEPS  The mean of each 2-by-2 block, in double; an odd last row or column is dropped (Honjo 2022, 2.2).
%   Runs in MATLAB R2019a and later and in GNU Octave without packages.
A = double(A(1:2 * floor(end / 2), 1:2 * floor(end / 2), :));
B = (A(1:2:end, 1:2:end, :) + A(1:2:end, 2:2:end, :) + A(2:2:end, 1:2:end, :) + A(2:2:end, 2:2:end, :)) / 4;
end
