classdef customPreluLayer < nnet.layer.Layer
    %CUSTOMPRELULAYER  max(x, 0) + Alpha .* min(x, 0), one slope a channel.
    %   MATLAB has a PReLU layer of its own from R2024a only. Needs the Deep Learning Toolbox; GNU Octave has no
    %   nnet.layer.Layer and cannot run this file.
    properties (Learnable)
        Alpha % 1-by-1-by-channels
    end
    methods
        function layer = customPreluLayer(name, alpha)
            layer.Name = name;
            layer.Alpha = alpha;
        end
        function Z = predict(layer, X)
            Z = max(X, 0) + layer.Alpha .* min(X, 0);
        end
        function [dLdX, dLdAlpha] = backward(layer, X, ~, dLdZ, ~)
            dLdX = dLdZ .* ((X > 0) + layer.Alpha .* (X <= 0));
            dLdAlpha = sum(sum(sum(dLdZ .* min(X, 0), 1), 2), 4);
        end
    end
end
