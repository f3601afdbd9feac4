% A network in the form of structs, from arrays.mat, exported by export_fsrcnn_weights.m in three ways.
folder = getenv('STANDIN_FOLDER');
addpath(getenv('STANDIN_SCRIPTS'));
load(fullfile(folder, 'arrays.mat'));  % kernels, biases, slopes, up_kernel, up_bias, stride, crop, mean_image
layers = {struct('Name', 'image', 'InputSize', [24 24 1], 'Normalization', 'zerocenter', 'Mean', mean_image)};
for i = 1:numel(kernels)
    k = size(kernels{i}, 1);
    name = sprintf('conv_%d', i);
    layers{end + 1} = struct('Name', name, 'FilterSize', [k k], 'Stride', [1 1], 'DilationFactor', [1 1], ...
        'PaddingMode', 'same', 'PaddingSize', repmat(floor(k / 2), 1, 4), 'PaddingValue', 0, ...
        'Weights', kernels{i}, 'Bias', biases{i});
    layers{end + 1} = struct('Name', sprintf('prelu_%d', i), 'Alpha', slopes{i});
end
layers{end + 1} = struct('Name', 'up', 'FilterSize', [9 9], 'Stride', [stride stride], 'CroppingMode', 'manual', ...
    'CroppingSize', crop, 'Weights', up_kernel, 'Bias', up_bias);
layers{end + 1} = struct('Name', 'regression', 'ResponseNames', {{}}, 'LossFunction', 'mean-squared-error');

% SeriesNetwork: layers in order, with their values.
export_fsrcnn_weights(struct('Layers', {layers}), fullfile(folder, 'series.mat'), 'ValueRange', [0 1]);

% DAGNetwork: layers in another order, and the connections.
names = cellfun(@(layer) layer.Name, layers, 'UniformOutput', false);
connections = struct('Source', {names(1:end - 1)'}, 'Destination', {strcat(names(2:end)', '/in')});
turned = layers(end:-1:1);
export_fsrcnn_weights(struct('Layers', {turned}, 'Connections', connections), fullfile(folder, 'dag.mat'));

% dlnetwork: the values in a table; the layers' own are those before training. A layer of one's own calls them Slope.
before = layers;
rows = struct('Layer', {{}}, 'Parameter', {{}}, 'Value', {{}});
for i = 1:numel(before)
    for name = {'Weights', 'Bias', 'Alpha'}
        if isfield(before{i}, name{1})
            rows.Layer{end + 1, 1} = before{i}.Name;
            rows.Parameter{end + 1, 1} = name{1};
            rows.Value{end + 1, 1} = before{i}.(name{1});
            before{i}.(name{1}) = zeros(size(before{i}.(name{1})), 'single');
        end
    end
end
before(end) = [];
export_fsrcnn_weights(struct('Layers', {before}, 'Learnables', rows), fullfile(folder, 'dlnetwork.mat'));
for i = 1:numel(layers)
    if isfield(layers{i}, 'Alpha')
        layers{i} = struct('Name', layers{i}.Name, 'Slope', layers{i}.Alpha);
    end
end
export_fsrcnn_weights(layers, fullfile(folder, 'own_layers.mat'), 'ValueRange', [0 255]);

% What is no network of this kind is told.
try
    export_fsrcnn_weights(layers, fullfile(folder, 'refused.mat'), 'Range', [0 1]);
catch problem
    fprintf('refused: %s\n', problem.message);
end
connections.Source{2} = connections.Source{1};
try
    export_fsrcnn_weights(struct('Layers', {layers}, 'Connections', connections), fullfile(folder, 'refused.mat'));
catch problem
    fprintf('refused: %s\n', problem.message);
end
