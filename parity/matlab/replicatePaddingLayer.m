classdef replicatePaddingLayer < nnet.layer.Layer
    %REPLICATEPADDINGLAYER  Continues every channel by its edge, Amount rows and columns on each side.
    %   MATLAB's convolution2dLayer has replicated padding of its own from R2021a only. Needs the Deep Learning Toolbox; GNU
    %   Octave has no nnet.layer.Layer and cannot run this file.
    properties
        Amount
    end
    methods
        function layer = replicatePaddingLayer(name, amount)
            layer.Name = name;
            layer.Amount = amount;
        end
        function Z = predict(layer, X)
            p = layer.Amount;
            Z = X(min(max(1 - p:size(X, 1) + p, 1), size(X, 1)), min(max(1 - p:size(X, 2) + p, 1), size(X, 2)), :, :);
        end
        function dLdX = backward(layer, X, ~, dLdZ, ~)
            p = layer.Amount;
            rows = min(max(1 - p:size(X, 1) + p, 1), size(X, 1));
            columns = min(max(1 - p:size(X, 2) + p, 1), size(X, 2));
            dLdX = zeros(size(X), 'like', X);
            for i = 1:numel(rows)
                for j = 1:numel(columns)
                    place = {rows(i), columns(j), ':', ':'};
                    dLdX(place{:}) = dLdX(place{:}) + dLdZ(i, j, :, :);
                end
            end
        end
    end
end
