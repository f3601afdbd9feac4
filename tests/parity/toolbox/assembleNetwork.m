function network = assembleNetwork(layers)
assert(strcmp(layers(1).kind, 'input') && strcmp(layers(end).kind, 'output'));
assert(numel(unique({layers.name})) == numel(layers));
network = layers;
end
