"""The machine code of a pass.

    down       a result row is a sum of image rows, a vector of columns at a time
    across     a result column is a sum of image columns, a vector of rows at a time: blocks are turned before and after
    doubled    along the rows, too, where two results a pixel have the same weights everywhere (×2): nothing is turned

Rows are so many bytes apart as is said, and pixels side by side. What is left of a row behind the last whole vector is
made by a vector that ends with the row: some pixels are made twice, the same.
"""

from __future__ import annotations

from collections.abc import Callable

from fsrcnn_np.images.imresize import Taps
from fsrcnn_np.images.llvm.arithmetic import Numbers, transposed
from piqe_np.llvm.assembler import BYTES, Function, Module, Rows, Value
from piqe_np.llvm.target import Target

_UNROLLED = 8
#: Weight and pixels of a tap.
Term = Callable[[Value | int], tuple[Value, Value]]


def lanes(processor: Target, kind: str) -> int:
    """Numbers of a vector."""
    return processor.lanes if kind == "float" else processor.lanes // 2


def unrolled(taps: Taps) -> int:
    """The taps of a sample where they are few; those that are added in a loop are 0, for one code for all."""
    count = taps.indices.shape[1]
    return count if count <= _UNROLLED else 0


def _summed(numbers: Numbers, taps: int, count: Value, term: Term) -> Value:
    """The sum of weights times pixels."""
    total = numbers.zero()
    if taps:
        for tap in range(taps):
            total = numbers.added(total, *term(tap))
        return total
    carried = [total]
    with numbers.f.loop(0, count, carrying=carried) as place:
        carried[0] = numbers.added(carried[0], *term(place))
    return carried[0]


def _pixels(address: Value, kind: str, pitch: Value | int) -> Rows:
    return Rows(address, kind, (pitch, BYTES[kind]), align=1)


def add_down(module: Module, lanes: int, dtype: str, kind: str, taps: int) -> Function:
    """A function that makes `rows` rows; `indices` are of image rows, and a row's taps lie side by side."""
    f = module.function("down", "image pitch indices weights count rows result result_pitch width")
    image, pitch, indices, weights, count, rows, result, result_pitch, width = f.parameters
    numbers = Numbers(f, dtype, kind, lanes)
    source, made = _pixels(image, numbers.stored, pitch), _pixels(result, numbers.stored, result_pitch)
    with f.loop(0, rows) as row:
        places = Rows.of(indices + row * count * 8, "i64", (1,))
        weighing = Rows.of(weights + row * count * BYTES[kind], kind, (1,))

        def line(tap: Value | int) -> tuple[Value, Rows]:
            return f.splat(weighing[tap], lanes), source[places[tap]]

        lines = [line(tap) for tap in range(taps)] if taps else []
        with f.loop(0, width, lanes) as start:
            x = f.smaller(start, width - lanes)

            def term(tap: Value | int) -> tuple[Value, Value]:
                weight, pixels = lines[tap] if isinstance(tap, int) else line(tap)
                return weight, numbers.of(pixels[x:].vector(lanes))

            made[row, x] = numbers.pixels(_summed(numbers, taps, count, term))
    return f


def add_across(module: Module, lanes: int, dtype: str, kind: str, taps: int) -> Function:
    """A function that makes `width` columns of `rows` rows from `span` columns.

    `offsets` are of columns in the turned block, in bytes; a result's taps lie side by side. `turned` is memory for
    span × lanes numbers.
    """
    f = module.function("across", "image pitch span offsets weights count turned rows result result_pitch width")
    image, pitch, span, offsets, weights, count, turned, rows, result, result_pitch, width = f.parameters
    numbers = Numbers(f, dtype, kind, lanes)
    source, made = _pixels(image, numbers.stored, pitch), _pixels(result, numbers.stored, result_pitch)
    block = Rows.of(turned, kind, (1, lanes))

    def column(x: Value) -> Value:
        places = Rows.of(offsets + x * count * 8, "i64", (1,))
        weighing = Rows.of(weights + x * count * BYTES[kind], kind, (1,))

        def term(tap: Value | int) -> tuple[Value, Value]:
            pixels = Rows.of(turned + places[tap], kind, (1,))
            return f.splat(weighing[tap], lanes), pixels.vector(lanes)

        return numbers.pixels(_summed(numbers, taps, count, term))

    with f.loop(0, rows, lanes) as start:
        row = f.smaller(start, rows - lanes)
        with f.loop(0, span, lanes) as start:
            x = f.smaller(start, span - lanes)
            for lane, one in enumerate(transposed(f, [source[row + i, x:].vector(lanes) for i in range(lanes)])):
                block[x + lane, 0] = numbers.of(one)
        with f.loop(0, width, lanes) as start:
            x = f.smaller(start, width - lanes)
            columns = [column(x + lane) for lane in range(lanes)]
            for lane, line in enumerate(transposed(f, columns)):
                made[row + lane, x] = line
    return f


def add_doubled(module: Module, lanes: int, dtype: str, kind: str, taps: int, first: tuple[int, int]) -> Function:
    """A function that makes 2 · width columns of `rows` rows: two a pixel, of `taps` pixels each.

    The even results' taps begin `first[0]` columns behind the pixel, the odd ones' `first[1]`; what they read beyond
    the border is at hand. `weights` are the even results', then the odd ones'.
    """
    f = module.function("doubled", "image pitch weights rows result result_pitch width")
    image, pitch, weights, rows, result, result_pitch, width = f.parameters
    numbers = Numbers(f, dtype, kind, lanes)
    source, made = _pixels(image, numbers.stored, pitch), _pixels(result, numbers.stored, result_pitch)
    weighing = Rows.of(weights, kind, (2, taps))
    known = [[f.splat(weighing[phase, tap], lanes) for tap in range(taps)] for phase in range(2)]
    with f.loop(0, rows) as row, f.loop(0, width, lanes) as start:
        x = f.smaller(start, width - lanes)
        reach = range(min(first), max(first) + taps)
        pixels = {place: numbers.of(source[row, x + place :].vector(lanes)) for place in reach}
        sums = []
        for phase in range(2):
            total = numbers.zero()
            for tap in range(taps):
                total = numbers.added(total, known[phase][tap], pixels[first[phase] + tap])
            sums.append(total)
        made[row, x * 2] = numbers.beside(*sums)
    return f
