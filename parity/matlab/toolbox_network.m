function [out, network] = toolbox_network(image, net)
%TOOLBOX_NETWORK  The network made of the Deep Learning Toolbox's own layers, the activations of every one.
%   out = toolbox_network(image, net)             net as in fsrcnn_steps
%   out = toolbox_network(image, 'x2.mat')        a model that `fsrcnn-np weights convert x2 x2.mat` wrote
%   [out, network] = toolbox_network(...)         the assembled network too: before the cut to size, input_mean apart
%
%   image  M-by-N, in the model's range of values: [0, 1], unless `fsrcnn-np weights show` says another
%   out    as in fsrcnn_steps, in single precision; out.deconvolution is the enlarged picture
%
%   A replicate border is made by replicatePaddingLayer, slopes by customPreluLayer; both lie beside this file.
%   Needs MATLAB R2019a or later with the Deep Learning Toolbox; GNU Octave does not have it and cannot run this file.
if ischar(net) || isa(net, 'string')
    net = converted(char(net));
end
[M, N] = size(image);
ring = strcmp(net.border, 'replicate');
layers = imageInputLayer([M, N, 1], 'Name', 'input', 'Normalization', 'none');
for i = 1:numel(net.names)
    weight = permute(net.weights{i}, [3 4 2 1]);           % rows, columns, in, out
    k = size(weight, 1);
    channels = size(weight, 4);
    slope = reshape(net.slopes{i}, 1, 1, []);
    padding = 'same';
    if ring
        padding = 0;
        if k > 1
            layers = [layers; replicatePaddingLayer(['border_' net.names{i}], (k - 1) / 2)]; %#ok<AGROW>
        end
    end
    layers = [layers
        convolution2dLayer(k, channels, 'Name', ['conv_' net.names{i}], 'Padding', padding, ...
            'Weights', single(weight), 'Bias', single(reshape(net.biases{i}, 1, 1, [])))
        customPreluLayer(net.names{i}, single(slope) .* ones(1, 1, channels, 'single'))]; %#ok<AGROW>
end
if ring                                                    % one replicated row and column of features, as released
    layers = [layers; replicatePaddingLayer('border_deconvolution', 1)];
end
% uncropped, and cut below: how a cropping of an odd number is shared between two sides differs between releases
layers = [layers
    transposedConv2dLayer(9, 1, 'Name', 'deconvolution', 'Stride', net.scale, 'Cropping', 0, ...
        'Weights', single(permute(net.weights{end}, [3 4 2 1])), 'Bias', single(net.biases{end}(1)))
    regressionLayer('Name', 'output')];
network = assembleNetwork(layers);
input = single(image - net.input_mean);
for i = 1:numel(net.names)
    out.(net.names{i}) = permute(activations(network, input, net.names{i}, 'ExecutionEnvironment', 'cpu'), [3 1 2]);
end
whole = activations(network, input, 'deconvolution', 'ExecutionEnvironment', 'cpu');
cut = net.offset + net.scale * ring;
missing = max(0, cut + net.scale * [M, N] - [size(whole, 1), size(whole, 2)]);
whole = [whole, repmat(single(net.biases{end}(1)), size(whole, 1), missing(2))];
whole = [whole; repmat(single(net.biases{end}(1)), missing(1), size(whole, 2))];
out.deconvolution = whole(cut + (1:net.scale * M), cut + (1:net.scale * N));
end

function net = converted(path)
% the struct fsrcnn of a converted model, as fsrcnn_steps takes it
found = load(path);
if ~isfield(found, 'fsrcnn') || ~isfield(found.fsrcnn, 'header')
    error('fsrcnn:file', '%s was not written by fsrcnn-np; convert the model: fsrcnn-np weights convert IN OUT.mat', path);
end
header = jsondecode(found.fsrcnn.header);
net = struct('border', header.border, 'scale', header.scale, 'offset', header.deconvolution_offset, ...
    'input_mean', header.input_mean, 'names', {{}}, 'weights', {{}}, 'biases', {{}}, 'slopes', {{}});
for i = 1:numel(found.fsrcnn.layers)
    layer = found.fsrcnn.layers{i};
    if isfield(layer, 'Alpha')
        net.slopes{end + 1} = layer.Alpha(:);
        continue
    end
    net.weights{end + 1} = permute(layer.Weights, [4 3 1 2]);
    net.biases{end + 1} = layer.Bias(:);
    if i < numel(found.fsrcnn.layers)
        net.names{end + 1} = layer.Name;
    end
end
end
