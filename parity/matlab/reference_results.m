function results = reference_results(vectors)
%REFERENCE_RESULTS  The M-language reference on a cell of vectors: a cell of structs, each with the vector's id.
%   The fields of a vector are those of ../store.py. Runs in MATLAB R2019a and later and in GNU Octave.
results = cell(numel(vectors), 1);
for i = 1:numel(vectors)
    v = vectors{i};
    switch v.kind
        case 'piqe'
            if isfield(v, 'data_range')
                r = piqe_steps(v.image, v.data_range);
            else
                r = piqe_steps(v.image);
            end
        case 'network'
            r = fsrcnn_steps(v.image, v);
        case 'upscale'
            r = upscale_steps(v);
        case 'imresize'
            r = struct('resized', resized_by(@imresize_steps, v));
        case 'rgb2ycbcr'
            r = struct('ycbcr', rgb2ycbcr_steps(v.image));
        case 'bin2x2'
            r = struct('binned', bin2x2_steps(v.image));
        otherwise
            error('parity:kind', 'vector %s is of kind %s, which is unknown', v.id, v.kind);
    end
    r.id = v.id;
    results{i} = r;
end
end

function B = resized_by(resize, v)
% with the options that the vector gives
options = {};
if isfield(v, 'method')
    options = {v.method};
    if isfield(v, 'antialiasing')
        options{2} = logical(v.antialiasing);
    end
end
B = resize(v.image, v.scale, options{:});
end
