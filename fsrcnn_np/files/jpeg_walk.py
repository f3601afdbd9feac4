"""One scan of a Huffman-coded JPEG, gone through code by code without decoding a pixel: ITU-T T.81, F to H.

Decoders fill what is missing with grey and say so only to themselves. A scan is whole when every one of its blocks is
there, every code is one of its tables, and the data end where the last block does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from piqe_np.compiled import kernel

WHOLE, ENDS_EARLY, BAD_CODE, NO_RESTART = range(4)
_AT, _BITS, _COUNT, _MADE_UP, _RUN = range(5)  # places of the reader's state


@kernel
def _fill(data: NDArray[np.uint8], state: NDArray[np.int64]) -> None:
    """Five bytes of bits at least; zeros behind the data, which are counted as made up."""
    while state[_COUNT] <= 40:
        at, byte = state[_AT], np.int64(0)
        if at < len(data) and data[at] != 0xFF:
            byte = np.int64(data[at])
            state[_AT] = at + 1
        elif at + 1 < len(data) and data[at + 1] == 0:
            byte = np.int64(0xFF)
            state[_AT] = at + 2
        else:
            state[_MADE_UP] += 8
        state[_BITS] = ((state[_BITS] & ((1 << state[_COUNT]) - 1)) << 8) | byte
        state[_COUNT] += 8


@kernel
def _take(data: NDArray[np.uint8], state: NDArray[np.int64], count: int) -> int:
    if state[_COUNT] < count:
        _fill(data, state)
    state[_COUNT] -= count
    return (state[_BITS] >> state[_COUNT]) & ((1 << count) - 1)


@kernel
def _symbol(data: NDArray[np.uint8], state: NDArray[np.int64], table: NDArray[np.int32]) -> int:
    """The next code's symbol, −1 where the table has no such code. `table`: length·256 + symbol of each 16 bits."""
    if state[_COUNT] < 16:
        _fill(data, state)
    entry = table[(state[_BITS] >> (state[_COUNT] - 16)) & 0xFFFF]
    if entry == 0:
        return -1
    state[_COUNT] -= entry >> 8
    return entry & 255


@kernel
def _first(data: Any, state: Any, table: Any, start: int, end: int, whole: bool, known: Any, block: int) -> bool:
    """AC coefficients that nothing was said of before: F.2.2.2, G.1.2.2. `whole`: sequential, no runs of blocks."""
    if state[_RUN] > 0:
        state[_RUN] -= 1
        return True
    k = start
    while k <= end:
        symbol = _symbol(data, state, table)
        if symbol < 0:
            return False
        run, size = symbol >> 4, symbol & 15
        if size == 0:
            if run == 15:
                k += 16
                continue
            if run > 0 and not whole:
                state[_RUN] = (1 << run) - 1 + _take(data, state, run)
            elif run > 0:
                return False
            break
        k += run
        if k > end:
            return False
        _take(data, state, size)
        if not whole:
            known[block] |= np.uint64(1) << np.uint64(k)
        k += 1
    return k <= 64


@kernel
def _refined(data: Any, state: Any, table: Any, start: int, end: int, known: Any, block: int) -> bool:
    """One more bit of AC coefficients, and new ones: G.1.2.3."""
    k = start
    if state[_RUN] == 0:
        while k <= end:
            symbol = _symbol(data, state, table)
            if symbol < 0:
                return False
            run, size = symbol >> 4, symbol & 15
            if size > 1:
                return False
            if size == 1:
                _take(data, state, 1)
            elif run != 15:
                state[_RUN] = (1 << run) + (_take(data, state, run) if run > 0 else 0)
                break
            while k <= end:
                if (known[block] >> np.uint64(k)) & np.uint64(1):
                    _take(data, state, 1)
                else:
                    if run == 0:
                        break
                    run -= 1
                k += 1
            if size == 1:
                if k > end:
                    return False
                known[block] |= np.uint64(1) << np.uint64(k)
            k += 1
    if state[_RUN] > 0:
        while k <= end:
            if (known[block] >> np.uint64(k)) & np.uint64(1):
                _take(data, state, 1)
            k += 1
        state[_RUN] -= 1
    return True


@kernel
def _next_marker(data: NDArray[np.uint8], state: NDArray[np.int64]) -> int:
    """Where the next 0xFF stands that begins a marker: B.1.1.2."""
    here = state[_AT]
    while here + 1 < len(data) and (data[here] != 0xFF or data[here + 1] == 0 or data[here + 1] == 0xFF):
        here += 1
    return here


@kernel
def walk(
    data: NDArray[np.uint8],
    at: int,
    layout: NDArray[np.int64],
    units: tuple[int, int],
    dc: NDArray[np.int32],
    ac: NDArray[np.int32],
    known: NDArray[np.uint64],
    scan: tuple[int, int, int, int, int],
) -> tuple[int, int, int, int]:
    """Go through a scan.

    Parameters
    ----------
    data, at
        The file, and where the scan's coded data begin.
    layout : n × 6
        Of each component: blocks across and down in a unit, blocks across in `known`, where its blocks begin there,
        and its number in `dc` and `ac`; then the restart interval.
    units : int, int
        Units (MCUs) down and across.
    dc, ac : n × 65536
        Tables as of `_symbol`.
    known : uint64, one for each block of the picture
        Which of its coefficients are not zero, so far; filled in by progressive scans.
    scan : five int
        First and last coefficient, the high bit, 1 where the frame is progressive, 1 where it is lossless: then blocks
        are of one sample, whose difference is coded as a DC's, but 32768 without bits of its own (H.1.2.2).

    Returns
    -------
    int, int, int, int
        WHOLE or what is wrong, where the scan ends, units gone through, bytes left over.
    """
    start, end, high, progressive, lossless = scan
    restart, state, left = layout[0, 5], np.zeros(5, np.int64), 0
    state[_AT] = at
    done = 0
    for row in range(units[0]):
        for column in range(units[1]):
            if restart > 0 and done > 0 and done % restart == 0:
                here = _next_marker(data, state)
                left += here - state[_AT] + max(0, state[_COUNT] - state[_MADE_UP]) // 8
                if here + 1 >= len(data) or not 0xD0 <= data[here + 1] <= 0xD7:
                    return NO_RESTART, here, done, left
                state[:] = 0
                state[_AT] = here + 2
            for number in range(len(layout)):
                across, down, stride = layout[number, 0], layout[number, 1], layout[number, 2]
                base, table = layout[number, 3], layout[number, 4]
                for y in range(down):
                    for x in range(across):
                        block = base + (row * down + y) * stride + column * across + x
                        if start == 0:
                            if high > 0:
                                _take(data, state, 1)
                            else:
                                size = _symbol(data, state, dc[table])
                                if size < 0 or size > 16:
                                    return BAD_CODE, state[_AT], done, left
                                _take(data, state, 0 if lossless and size == 16 else size)
                        if end > 0:
                            first = max(start, 1)
                            if high > 0:
                                good = _refined(data, state, ac[table], first, end, known, block)
                            else:
                                good = _first(data, state, ac[table], first, end, progressive == 0, known, block)
                            if not good:
                                return BAD_CODE, state[_AT], done, left
            if state[_COUNT] < state[_MADE_UP]:
                return ENDS_EARLY, state[_AT], done, left
            done += 1
    here = _next_marker(data, state)
    left += here - state[_AT] + max(0, state[_COUNT] - state[_MADE_UP]) // 8
    return WHOLE, here, done, left
