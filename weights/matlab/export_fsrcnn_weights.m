function export_fsrcnn_weights(net, filename, varargin)
%EXPORT_FSRCNN_WEIGHTS Write an FSRCNN as a plain struct that fsrcnn-np reads.
%
%   export_fsrcnn_weights(net, 'my_x2.mat')
%   export_fsrcnn_weights(net, 'my_x2.mat', 'ValueRange', [0 1])
%   export_fsrcnn_weights(net, 'my_x2.mat', 'Version', '-v7.3')
%
%   net         SeriesNetwork, DAGNetwork or dlnetwork, or an array of trained layers
%               in the order in which they are applied. A PReLU is MATLAB's
%               preluLayer (R2024a) or a layer of your own whose slopes are in a
%               property Alpha.
%   ValueRange  the pixel values that the network takes for black and white;
%               where it is left out, fsrcnn-np asks for it, or assumes [0 1]
%               and says so.
%   Version     '-v7' (default) or '-v7.3'.
%
%   Then, in a shell:  fsrcnn-np weights show my_x2.mat
%                      fsrcnn-np weights convert my_x2.mat my_x2.h5
%
%   Every layer becomes a struct with those of its properties that decide what it
%   does; fsrcnn-np judges whether they make an FSRCNN. Runs in MATLAB R2019a and
%   later, and in GNU Octave on a struct in place of the network.

    if isnumeric(net) || islogical(net) || ischar(net) || isa(net, 'function_handle') || isempty(net)
        error('fsrcnn:network', 'A network, or its layers, is expected; this is %s.', class(net));
    end
    valueRange = [];
    version = '-v7';
    for i = 1:2:numel(varargin)
        switch lower(varargin{i})
            case 'valuerange'
                valueRange = double(varargin{i + 1});
                if numel(valueRange) ~= 2 || valueRange(1) >= valueRange(2)
                    error('fsrcnn:range', 'ValueRange: two numbers are expected, the lower first.');
                end
            case 'version'
                version = varargin{i + 1};
                if ~any(strcmp(version, {'-v7', '-v7.3'}))
                    error('fsrcnn:version', 'Version is %s; allowed are -v7 and -v7.3.', version);
                end
            otherwise
                error('fsrcnn:option', 'Unknown option %s; allowed are ValueRange and Version.', varargin{i});
        end
    end

    layers = layers_of(net);
    learnables = property_of(net, 'Learnables');
    exported = cell(1, numel(layers));
    for i = 1:numel(layers)
        exported{i} = exported_layer(layers{i}, learnables);
    end
    exported = in_order(exported, property_of(net, 'Connections'));

    fsrcnn = struct();
    fsrcnn.format = 'fsrcnn-np weights';
    fsrcnn.schema = 1;
    fsrcnn.network_class = class(net);
    fsrcnn.written_by = ['export_fsrcnn_weights.m, ' software()];
    fsrcnn.layers = exported;
    if ~isempty(valueRange)
        fsrcnn.value_range = valueRange(:)';
    end
    save(filename, 'fsrcnn', version);
    fprintf('%s: %d layers\n', filename, numel(exported));
    for i = 1:numel(exported)
        fprintf('  %s\n', described(exported{i}));
    end
end

function found = layers_of(net)
% The layers of a network, or of an array or cell of layers, as a cell.
    layers = property_of(net, 'Layers');
    if isempty(layers)
        layers = net;
    end
    found = cell(1, numel(layers));
    for i = 1:numel(layers)
        if iscell(layers)
            found{i} = layers{i};
        else
            found{i} = layers(i);
        end
    end
end

function layers = in_order(layers, connections)
% DAGNetwork and dlnetwork may list their layers in any order; Connections has the true one.
    if isempty(connections)
        return
    end
    names = cellfun(@(layer) layer.Name, layers, 'UniformOutput', false);
    from = regexprep(texts(connections.Source), '/.*', '');
    to = regexprep(texts(connections.Destination), '/.*', '');
    if numel(unique(from)) < numel(from) || numel(unique(to)) < numel(to)
        error('fsrcnn:branch', 'The network has branches; an FSRCNN is a chain of layers.');
    end
    order = find(~ismember(names, to));
    if numel(order) ~= 1
        error('fsrcnn:chain', 'The network has %d layers without an input; an FSRCNN has one.', numel(order));
    end
    while true
        next = strcmp(from, names{order(end)});
        if ~any(next)
            break
        end
        order(end + 1) = find(strcmp(names, to{next}));
    end
    layers = layers(order);
end

function found = exported_layer(layer, learnables)
% Those properties of a layer that decide what it does.
    names = {'Name', 'FilterSize', 'NumChannels', 'NumFilters', 'NumChannelsPerGroup', 'Stride', ...
        'DilationFactor', 'PaddingMode', 'PaddingSize', 'PaddingValue', 'CroppingMode', 'CroppingSize', ...
        'Cropping', 'NumGroups', 'Weights', 'Bias', 'Alpha', 'InputSize', 'Normalization', 'Mean', ...
        'AverageImage', 'TrainedMean', 'PoolSize', 'OutputSize', 'Classes', ...
        'LossFunction', 'ResponseNames'};
    found = struct();
    for i = 1:numel(names)
        if has_property(layer, names{i})
            found.(names{i}) = plain(property_of(layer, names{i}));
        end
    end
    if ~isfield(found, 'Name')
        found.Name = '';
    end
    found.Class = class(layer);
    % dlnetwork keeps what it learned in a table (Layer, Parameter, Value).
    if ~isempty(learnables)
        mine = strcmp(texts(learnables.Layer), found.Name);
        parameters = texts(learnables.Parameter);
        for k = find(mine(:)')
            value = learnables.Value;
            found.(parameters{k}) = plain(value{k});
        end
    end
    % In layers of one's own the slopes may be called otherwise.
    others = {'alpha', 'Slope', 'slope'};
    for i = 1:numel(others)
        if ~isfield(found, 'Alpha') && has_property(layer, others{i})
            found.Alpha = plain(property_of(layer, others{i}));
        end
    end
end

function yes = has_property(thing, name)
    if isstruct(thing)
        yes = isfield(thing, name);
    else
        yes = isobject(thing) && isprop(thing, name);
    end
end

function value = property_of(thing, name)
% The value of a property, [] where there is none that can be read.
    value = [];
    if numel(thing) == 1 && has_property(thing, name)
        try
            value = thing.(name);
        catch
            value = [];
        end
    end
end

function value = plain(value)
% dlarray, gpuArray and string as plain arrays and text; numbers keep their class.
    if isa(value, 'dlarray')
        value = extractdata(value);
    end
    if isa(value, 'gpuArray')
        value = gather(value);
    end
    if isa(value, 'string')
        value = char(value);
    end
    if isstruct(value) && isfield(value, 'Value')
        value = plain(value.Value);
    end
    if ~(isnumeric(value) || islogical(value) || ischar(value) || iscell(value))
        value = class(value);
    end
end

function found = texts(column)
% A string array or a cell of text as a cell of char.
    if iscell(column)
        found = column;
    else
        found = cellstr(column);
    end
end

function text = software()
    if exist('OCTAVE_VERSION', 'builtin')
        text = ['GNU Octave ' version()];
    else
        text = ['MATLAB ' version()];
    end
end

function text = described(layer)
    text = layer.Name;
    if isfield(layer, 'Weights')
        text = sprintf('%s: weights %s', text, mat2str(size(layer.Weights)));
    elseif isfield(layer, 'Alpha')
        text = sprintf('%s: %d slopes', text, numel(layer.Alpha));
    end
end
