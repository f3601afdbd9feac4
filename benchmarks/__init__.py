"""How fast, beside whom: `python -m benchmarks`.

__main__.py     what is measured; the command line
case.py         one measurement in a process of its own
peers.py        ours and the others, each behind the same two calls
graphs.py       the same network as PyTorch module and ONNX graph, as it is and rewritten
peak.py         the processor's FMA peak, measured beside every case
table.py        results kept as JSON, told as one table and one picture
stages.py       the engine's functions one by one
mammogram.py    the paper's line: file to file, against one minute
bicubic.py      imresize beside OpenCV's and Pillow's
page.py         README's and docs/engine.md's tables, of the results that are committed
piqe.py         PIQE beside its peers
test_pieces.py  the pieces, with pytest-benchmark
"""
