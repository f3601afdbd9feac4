function out = rgb2ycbcr_steps(rgb)
%RGB2YCBCR_STEPS  MATLAB's rgb2ycbcr for uint8: Y in 16..235, Cb and Cr in 16..240.
%   C. Poynton, A Technical Introduction to Digital Video (1996), chapter 9. Runs in MATLAB R2019a and later and in
%   GNU Octave without packages.
T = [65.481 128.553 24.966; -37.797 -74.203 112; 112 -93.786 -18.214] / 255;
d = double(rgb);
out = zeros(size(d));
offset = [16 128 128];
for c = 1:3
    out(:, :, c) = T(c, 1) * d(:, :, 1) + T(c, 2) * d(:, :, 2) + T(c, 3) * d(:, :, 3) + offset(c);
end
out = uint8(out);                                       % rounds half away from zero
end
