function value = option(pairs, name)
value = pairs{find(strcmp(pairs(1:2:end), name)) * 2};
end
