function layer = replicatePaddingLayer(name, amount)
assert(amount == round(amount) && amount > 0);
layer = entry('border', name, amount, [], 1);
end
