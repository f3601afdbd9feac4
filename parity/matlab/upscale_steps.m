function out = upscale_steps(v)
%UPSCALE_STEPS  The whole main job: a picture in, its enlargement out, in double and before the rounding.
%   v.image  M-by-N or M-by-N-by-3; v.white the value that is 1 for the network; further fields as in fsrcnn_steps.
%   Grey: through the network. RGB: the full-range luma of ITU-R BT.601 through the network, both chroma planes by
%   imresize_steps. Runs in MATLAB R2019a and later and in GNU Octave without packages.
x = double(v.image) / v.white;
if size(x, 3) == 1
    steps = fsrcnn_steps(x, v);
    out.enlarged = v.white * steps.deconvolution;
    return
end
luma = 0.299 * x(:, :, 1) + 0.587 * x(:, :, 2) + 0.114 * x(:, :, 3);
blue = imresize_steps((x(:, :, 3) - luma) / 1.772, v.scale);
red = imresize_steps((x(:, :, 1) - luma) / 1.402, v.scale);
steps = fsrcnn_steps(luma, v);
luma = steps.deconvolution;
R = luma + 1.402 * red;
B = luma + 1.772 * blue;
G = (luma - 0.299 * R - 0.114 * B) / 0.587;
out.enlarged = v.white * cat(3, R, G, B);
end
