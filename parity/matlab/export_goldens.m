function file = export_goldens(output_folder, input_folder)
%EXPORT_GOLDENS  Compute the parity suite's goldens with the MATLAB (or Octave) that runs this. One call:
%
%   >> cd parity/matlab
%   >> file = export_goldens()            writes goldens_R2019a.mat, release in the name, into this folder
%   $ python -m parity --goldens goldens_R2019a.mat
%
%   output_folder  where to write; default: here
%   input_folder   where the vectors are; default: ../vectors
%
%   The file holds `oracle`, `release`, `results` (the M-language reference of this folder on every vector, all steps)
%   and `builtin`: the toolboxes' own functions on the same vectors, as far as they are there.
%     Image Processing Toolbox  piqe, rgb2gray, im2double, imresize, rgb2ycbcr; piqe on the toolbox's lighthouse.png,
%                               also after imgaussfilt(A, 2) and imnoise(A, 'gaussian', 0, 0.05)
%     Deep Learning Toolbox     convolution2dLayer, transposedConv2dLayer, customPreluLayer and replicatePaddingLayer,
%                               layer by layer, on the network vectors and on the shipped weights
%
%   Needs MATLAB R2019a or later. GNU Octave runs all but `builtin`: it has no piqe and no Deep Learning Toolbox, its
%   rgb2gray and imresize compute something else, and it has no h5read for the shipped weights; `builtin` is then
%   im2double alone.
here = fileparts(mfilename('fullpath'));
if nargin < 1
    output_folder = here;
end
if nargin < 2
    input_folder = fullfile(fileparts(here), 'vectors');
end
is_octave = exist('OCTAVE_VERSION', 'builtin') ~= 0;
if is_octave
    oracle = 'GNU Octave';
    release = OCTAVE_VERSION();
    name = ['octave' release];
else
    oracle = 'MATLAB';
    release = ['R' version('-release')];
    name = release;
end

vectors = {};
files = dir(fullfile(input_folder, '*.mat'));
for i = 1:numel(files)
    if isempty(strfind(files(i).name, 'goldens'))   %#ok<STREMP> contains() is not in Octave 7
        found = load(fullfile(input_folder, files(i).name));
        vectors = [vectors; found.vectors(:)];      %#ok<AGROW>
    end
end
results = reference_results(vectors);

builtin = {};
for i = 1:numel(vectors)
    r = toolbox_results(vectors{i}, is_octave);
    if numel(fieldnames(r)) > 0
        r.id = vectors{i}.id;
        builtin{end + 1, 1} = r;                    %#ok<AGROW>
    end
end
if ~is_octave
    builtin = [builtin; lighthouse_results(); shipped_results(here, vectors)];
end

file = fullfile(output_folder, ['goldens_' name '.mat']);
save(file, 'oracle', 'release', 'results', 'builtin', '-v7');
end

function r = toolbox_results(v, is_octave)
% what the toolboxes' own functions give; a field error_NAME holds the message of one that fails
r = struct();
if strcmp(v.kind, 'piqe')
    r = attempt(r, 'im2double', @() im2double(v.image));
end
if is_octave                                        % its other functions of these names compute something else
    return
end
switch v.kind
    case 'piqe'
        if size(v.image, 3) == 3 && ~isa(v.image, 'int16')   % which rgb2gray does not take
            r = attempt(r, 'rgb2gray', @() rgb2gray(v.image));
        end
        if ~isfield(v, 'data_range')
            r = attempt(r, 'piqe', @() piqe_outputs(v.image));
        end
    case 'imresize'
        options = resize_options(v);
        r = attempt(r, 'imresize', @() imresize(v.image, v.scale, options{:}));
    case 'rgb2ycbcr'
        r = attempt(r, 'rgb2ycbcr', @() rgb2ycbcr(v.image));
    case 'network'
        r = attempt(r, 'layers', @() toolbox_network(v.image, v));
end
end

function options = resize_options(v)
options = {};
if isfield(v, 'method')
    options = {v.method};
end
if isfield(v, 'antialiasing')
    options = [options {'Antialiasing', logical(v.antialiasing)}];
end
end

function r = attempt(r, name, call)
try
    r.(name) = call();
catch problem
    r.(['error_' name]) = problem.message;
end
end

function out = piqe_outputs(A)
[out.score, out.activity_mask, out.noticeable_artifacts_mask, out.noise_mask] = piqe(A);
end

function found = lighthouse_results()
% the picture of MathWorks' documentation: 24.8481, blurred 85.7362, with noise 72.3643
A = imread('lighthouse.png');
rng('default');
pictures = {A, imgaussfilt(A, 2), imnoise(A, 'gaussian', 0, 0.05)};
names = {'lighthouse', 'lighthouse-blurred', 'lighthouse-noisy'};
found = cell(3, 1);
for i = 1:3
    found{i} = struct('id', names{i}, 'image', pictures{i}, 'piqe', piqe_outputs(pictures{i}));
end
end

function found = shipped_results(here, vectors)
% the Deep Learning Toolbox on weights/fsrcnn_x2.h5, with zero borders: all that its layers know
net = shipped_weights(fullfile(fileparts(fileparts(here)), 'weights', 'fsrcnn_x2.h5'));
found = {};
for i = 1:numel(vectors)
    if strcmp(vectors{i}.kind, 'network') && isfield(vectors{i}, 'quantised')
        r = attempt(struct(), 'layers', @() toolbox_network(vectors{i}.image, net));
        r.id = ['shipped-' vectors{i}.id];
        r.image = vectors{i}.image;
        r.sha256 = net.sha256;
        found{end + 1, 1} = r;                      %#ok<AGROW>
    end
end
end

function net = shipped_weights(path)
m = double(h5readatt(path, '/', 'm'));
mapping = arrayfun(@(i) sprintf('mapping_%d', i), 1:m, 'UniformOutput', false);
net.names = [{'feature_extraction', 'shrinking'}, mapping, {'expanding'}];
layers = [net.names, {'deconvolution'}];
for i = 1:numel(layers)
    net.weights{i} = permute(h5read(path, ['/' layers{i} '/weight']), [4 3 2 1]);   % h5read reverses dimensions
    net.biases{i} = h5read(path, ['/' layers{i} '/bias']);
    if i <= numel(net.names)
        net.slopes{i} = h5read(path, ['/' layers{i} '/slope']);
    end
end
net.scale = double(h5readatt(path, '/', 'scale'));
net.offset = double(h5readatt(path, '/', 'deconvolution_offset'));
net.input_mean = double(h5readatt(path, '/', 'input_mean'));
net.sha256 = char(h5readatt(path, '/', 'sha256'));
end
