"""Studies: original, bicubic and SR compared by PIQE, in a table and a figure."""
