function out = toolbox_network(image, net)
%TOOLBOX_NETWORK  The network made of the Deep Learning Toolbox's own layers, the activations of every one.
%   out = toolbox_network(image, net), with net and out as in fsrcnn_steps; zero border, single precision.
%
%   Needs MATLAB R2019a or later with the Deep Learning Toolbox; GNU Octave does not have it and cannot run this file.
[M, N] = size(image);
layers = imageInputLayer([M, N, 1], 'Name', 'input', 'Normalization', 'none');
for i = 1:numel(net.names)
    weight = permute(net.weights{i}, [3 4 2 1]);           % rows, columns, in, out
    k = size(weight, 1);
    channels = size(weight, 4);
    slope = reshape(net.slopes{i}, 1, 1, []);
    layers = [layers
        convolution2dLayer(k, channels, 'Name', ['conv_' net.names{i}], 'Padding', 'same', ...
            'Weights', single(weight), 'Bias', single(reshape(net.biases{i}, 1, 1, [])))
        customPreluLayer(net.names{i}, single(slope) .* ones(1, 1, channels, 'single'))]; %#ok<AGROW>
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
missing = max(0, net.offset + net.scale * [M, N] - [size(whole, 1), size(whole, 2)]);
whole = [whole, repmat(single(net.biases{end}(1)), size(whole, 1), missing(2))];
whole = [whole; repmat(single(net.biases{end}(1)), missing(1), size(whole, 2))];
out.deconvolution = whole(net.offset + (1:net.scale * M), net.offset + (1:net.scale * N));
end
