"""A small assembler: LLVM functions over 64-bit integers and vectors, written with Python's operators.

What Python computes while a function is written (loops over taps, block sizes) is unrolled and constant; what `Value`s
compute happens when the function runs. The text goes to LLVM without any optimisation pass that could change the
order of floating-point operations: a product and a sum become one FMA only where `fma` says so.

    int            64-bit integers: sizes, byte offsets, addresses
    float, double  scalars
    <n x …>        vectors, one pixel a lane
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

INT = "i64"


class Value:
    """The result of one instruction; `+ - * / % < <= > >=` and `& |` write the next one."""

    __slots__ = ("function", "kind", "name")

    def __init__(self, function: Function, kind: str, name: str):
        self.function, self.kind, self.name = function, kind, name

    @property
    def floating(self) -> bool:
        """Whether it is a float or double, or a vector of them."""
        return "float" in self.kind or "double" in self.kind

    def _arithmetic(self, operation: str, other: Value | int) -> Value:
        return self.function.emit(self.kind, f"{operation} {self.kind} {self.name}, {name(other)}")

    def _compare(self, relation: str, other: Value | int) -> Value:
        operation = f"fcmp o{relation}" if self.floating else f"icmp s{relation}"
        kind = self.kind[: self.kind.rindex("x") + 1] + " i1>" if "x" in self.kind else "i1"
        return self.function.emit(kind, f"{operation} {self.kind} {self.name}, {name(other)}")

    def __add__(self, other: Value | int) -> Value:
        if isinstance(other, int) and other == 0:
            return self
        return self._arithmetic("fadd" if self.floating else "add", other)

    def __sub__(self, other: Value | int) -> Value:
        return self._arithmetic("fsub" if self.floating else "sub", other)

    def __mul__(self, other: Value | int) -> Value:
        if isinstance(other, int) and other == 1:
            return self
        return self._arithmetic("fmul" if self.floating else "mul", other)

    def __truediv__(self, other: Value) -> Value:
        return self._arithmetic("fdiv", other)

    def __mod__(self, other: int) -> Value:
        return self._arithmetic("urem", other)

    def __and__(self, other: Value) -> Value:
        return self._arithmetic("and", other)

    def __or__(self, other: Value) -> Value:
        return self._arithmetic("or", other)

    def __lt__(self, other: Value | int) -> Value:
        return self._compare("lt", other)

    def __le__(self, other: Value | int) -> Value:
        return self._compare("le", other)

    def __gt__(self, other: Value | int) -> Value:
        return self._compare("gt", other)

    def __ge__(self, other: Value | int) -> Value:
        return self._compare("ge", other)

    __radd__ = __add__
    __rmul__ = __mul__


def name(value: Value | int) -> str:
    """How an operand is written."""
    return value.name if isinstance(value, Value) else str(value)


#: Bytes of a number in memory.
BYTES = {"i8": 1, "i16": 2, "i64": 8, "float": 4, "double": 8}


class Rows:
    """Numbers of one type in memory, with as many axes as `pitches`; indices are numbers, never bytes.

    `rows[i]` takes one of the first axis, and loads it when no axis is left; `rows[i:]` goes on from there.
    `rows[i] = v` stores a number, or a vector from there on.

    Parameters
    ----------
    address : Value
        Of the first number.
    kind : str
        LLVM's name of the type.
    pitches : sequence of int or Value
        Bytes from one to the next, for each axis.
    align : int, optional
        Bytes; by default the number's own.
    offset : int
        Bytes from `address` to the first number. Known while the text is written, it stays apart, in the instruction
        that loads: LLVM takes half as long over a loop whose addresses differ by constants alone.
    """

    def __init__(
        self, address: Value, kind: str, pitches: Sequence[int | Value], align: int | None = None, offset: int = 0
    ):
        self.base, self.offset, self.kind, self.pitches = address, offset, kind, tuple(pitches)
        self.align = BYTES[kind] if align is None else align

    @property
    def address(self) -> Value:
        """Of the first number."""
        return self.base + self.offset

    @classmethod
    def of(cls, address: Value, kind: str, shape: Sequence[int], align: int | None = None) -> Rows:
        """Rows that lie side by side; the first axis may be of any length, so shape[0] does not matter."""
        pitches = [BYTES[kind]]
        for length in reversed(shape[1:]):
            pitches.append(pitches[-1] * length)
        return cls(address, kind, pitches[::-1], align)

    def _go(self, place: Any) -> Rows:
        address, offset, kept = self.base, self.offset, list[int | Value]()
        indices = place if isinstance(place, tuple) else (place,)
        for index, pitch in zip(indices, self.pitches, strict=False):
            start = (index.start or 0) if isinstance(index, slice) else index
            if isinstance(start, int) and isinstance(pitch, int):
                offset += start * pitch
            else:
                address = address + start * pitch
            kept += [pitch] if isinstance(index, slice) else []
        return Rows(address, self.kind, kept + list(self.pitches[len(indices) :]), self.align, offset)

    def __getitem__(self, place: Any) -> Any:
        found = self._go(place)
        if found.pitches:
            return found
        return found.base.function.load(self.kind, found.base, self.align, found.offset)

    def __setitem__(self, place: Any, value: Value) -> None:
        found = self._go(place)
        value.function.store(value, found.base, self.align, found.offset)

    def vector(self, lanes: int) -> Value:
        """The first numbers of the last axis."""
        return self.base.function.load(f"<{lanes} x {self.kind}>", self.base, self.align, self.offset)


class Function:
    """One function of a `Module`; its parameters are integers (often addresses)."""

    def __init__(self, module: Module, title: str, parameters: Sequence[str]):
        self.module, self.title = module, title
        self.parameters = [Value(self, INT, f"%{parameter}") for parameter in parameters]
        self.lines: list[str] = []
        self.count = 0
        self._label("entry")

    # -- instructions

    def emit(self, kind: str, text: str) -> Value:
        """Append an instruction that has a result of type `kind`."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return Value(self, kind, f"%v{self.count}")

    def integer(self, value: Value | int) -> Value:
        """A whole number known now, as a Value."""
        return value if isinstance(value, Value) else Value(self, INT, str(value))

    def load(self, kind: str, address: Value, align: int, offset: int = 0) -> Value:
        """A number or vector of memory; whoever knows its row uses `Rows`."""
        return self.emit(kind, f"load {kind}, ptr {self._pointer(address, offset)}, align {align}")

    def store(self, value: Value, address: Value, align: int, offset: int = 0) -> None:
        """A number or vector, into memory."""
        pointer = self._pointer(address, offset)
        self.lines.append(f"  store {value.kind} {value.name}, ptr {pointer}, align {align}")

    def prefetch(self, address: Value) -> None:
        """Ask for the cache line at an address, which need not exist."""
        self.module.declare("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.lines.append(f"  call void @llvm.prefetch.p0(ptr {self._pointer(address)}, i32 0, i32 2, i32 1)")

    def opaque(self, value: Value) -> Value:
        """The same number, whose origin LLVM does not see: addresses made of it stay as they are written."""
        return self.emit(value.kind, f"freeze {value.kind} {value.name}")

    def splat(self, scalar: Value, lanes: int) -> Value:
        """A vector with the same number in every lane."""
        kind = f"<{lanes} x {scalar.kind}>"
        first = self.emit(kind, f"insertelement {kind} poison, {scalar.kind} {scalar.name}, i32 0")
        return self.emit(kind, f"shufflevector {kind} {first.name}, {kind} poison, <{lanes} x i32> zeroinitializer")

    def constant(self, kind: str, number: float) -> Value:
        """`number` in every lane of `kind`, which can hold it exactly."""
        bits = f"0x{struct.pack('>d', number).hex().upper()}"  # LLVM reads no decimals that need rounding
        if not {"float", "double"} & set(kind.strip("<>").split()):
            bits = str(int(number))
        if not kind.startswith("<"):
            return Value(self, kind, bits)
        lanes, scalar = kind[1:-1].split(" x ")
        return Value(self, kind, "<" + ", ".join([f"{scalar} {bits}"] * int(lanes)) + ">")

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """a · b + c, rounded once; where the processor cannot do that, the product is rounded too."""
        if not self.module.fma:
            return a * b + c
        return self.intrinsic("fma", a, b, c)

    def intrinsic(self, operation: str, *arguments: Value) -> Value:
        """sqrt, fabs, trunc, copysign … of floating-point arguments of one type, which is the result's as well."""
        kind = arguments[0].kind
        suffix = kind.strip("<>").replace("double", "f64").replace("float", "f32").replace(" x ", "")
        return self.call_intrinsic(f"llvm.{operation}.{'v' * kind.startswith('<')}{suffix}", *arguments)

    def call_intrinsic(self, intrinsic: str, *arguments: Value) -> Value:
        """A function of LLVM's own by its whole name, of arguments of one type, which is its result's as well."""
        kind = arguments[0].kind
        self.module.declare(f"declare {kind} @{intrinsic}({', '.join([kind] * len(arguments))})")
        operands = ", ".join(f"{argument.kind} {argument.name}" for argument in arguments)
        return self.emit(kind, f"call {kind} @{intrinsic}({operands})")

    def call_reduction(self, operation: str, vector: Value) -> Value:
        """One whole number of a vector's lanes: or, and, add …"""
        scalar = vector.kind.strip("<>").split(" x ")[1]
        intrinsic = f"llvm.vector.reduce.{operation}.v{vector.kind.strip('<>').replace(' x ', '')}"
        self.module.declare(f"declare {scalar} @{intrinsic}({vector.kind})")
        return self.emit(scalar, f"call {scalar} @{intrinsic}({vector.kind} {vector.name})")

    def select(self, condition: Value, yes: Value, no: Value | int) -> Value:
        """Lane by lane `yes` where the condition is 1, else `no`."""
        return self.emit(
            yes.kind, f"select {condition.kind} {condition.name}, {yes.kind} {yes.name}, {yes.kind} {name(no)}"
        )

    def larger(self, a: Value, b: Value | int) -> Value:
        """The larger of two, lane by lane; `b` where one is NaN."""
        return self.select(a > b, a, b)

    def smaller(self, a: Value, b: Value | int) -> Value:
        """The smaller of two, lane by lane; `b` where one is NaN."""
        return self.select(a < b, a, b)

    def cast(self, operation: str, value: Value, kind: str) -> Value:
        """fpext, fptrunc, fptosi, sitofp, trunc …"""
        return self.emit(kind, f"{operation} {value.kind} {value.name} to {kind}")

    def shuffle(self, a: Value, b: Value, lanes: Sequence[int]) -> Value:
        """Lanes of a and b, which are numbered one after the other."""
        kind = f"<{len(lanes)} x {a.kind.split(' x ')[1]}"
        mask = ", ".join(f"i32 {lane}" for lane in lanes)
        return self.emit(kind, f"shufflevector {a.kind} {a.name}, {b.kind} {b.name}, <{len(lanes)} x i32> <{mask}>")

    def call(self, callee: Function | Value, *arguments: Value | Rows | int) -> None:
        """Call another function of the module, or the one at an address; rows are handed on as theirs."""
        target = f"@{callee.title}" if isinstance(callee, Function) else self._pointer(callee)
        given = [argument.address if isinstance(argument, Rows) else argument for argument in arguments]
        self.lines.append(f"  call void {target}({', '.join(f'{INT} {name(argument)}' for argument in given)})")

    # -- control flow

    @contextmanager
    def loop(
        self, start: Value | int, stop: Value | int, step: int = 1, *, carrying: list[Value] | None = None
    ) -> Iterator[Value]:
        """for index in range(start, stop, step)

        The values in the list `carrying` go from one pass to the next: the body replaces them in it, and after the loop
        it has the last ones. The test is at the end, and before the first pass only where Python cannot tell.
        """
        carried: list[Value] = [] if carrying is None else carrying
        before, (top, after) = self.block, (f"l{self._unique()}" for _ in range(2))
        first = [self.integer(start), *carried]
        sure = isinstance(start, int) and isinstance(stop, int) and start < stop
        self._branch(None if sure else first[0] < stop, top, after)
        self._label(top)
        phis = [Value(self, value.kind, f"%v{self._unique()}") for value in first]
        place = len(self.lines)
        self.lines += [""] * len(phis)
        index, carried[:] = phis[0], phis[1:]
        yield index
        following = [index + step, *carried]
        again, last = following[0] < stop, self.block
        for number, (phi, old, new) in enumerate(zip(phis, first, following, strict=True)):
            self.lines[place + number] = (
                f"  {phi.name} = phi {phi.kind} [ {old.name}, %{before} ], [ {new.name}, %{last} ]"
            )
        self._branch(again, top, after)
        self._label(after)
        if not sure:
            pairs = zip(first[1:], following[1:], strict=True)
            carried[:] = [
                self.emit(new.kind, f"phi {new.kind} [ {old.name}, %{before} ], [ {new.name}, %{last} ]")
                for old, new in pairs
            ]

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """What is written in the `with` block runs where the condition is 1."""
        inside, after = f"l{self._unique()}", f"l{self._unique()}"
        self._branch(condition, inside, after)
        self._label(inside)
        yield
        self._branch(None, after, after)
        self._label(after)

    # -- text

    def _unique(self) -> int:
        self.count += 1
        return self.count

    def _branch(self, condition: Value | None, yes: str, no: str) -> None:
        way = f"label %{yes}" if condition is None else f"i1 {condition.name}, label %{yes}, label %{no}"
        self.lines.append(f"  br {way}")

    def _label(self, label: str) -> None:
        self.block = label
        self.pointers: dict[str, str] = {}
        self.lines.append(f"{label}:")

    def _pointer(self, address: Value, offset: int = 0) -> str:
        """`offset` bytes from an address, which becomes a pointer once in a block."""
        if address.name not in self.pointers:
            self.pointers[address.name] = self.emit("ptr", f"inttoptr {INT} {address.name} to ptr").name
        pointer = self.pointers[address.name]
        return self.emit("ptr", f"getelementptr i8, ptr {pointer}, {INT} {offset}").name if offset else pointer

    def __str__(self) -> str:
        parameters = ", ".join(f"{INT} {parameter.name}" for parameter in self.parameters)
        return "\n".join([f"define void @{self.title}({parameters}) #0 {{", *self.lines, "  ret void", "}"])


class Module:
    """Functions that are compiled together.

    Parameters
    ----------
    fma : bool
        Whether the processor has fused multiply-add; without, every `fma` is a product and a sum.
    attributes : str
        LLVM attributes of every function.
    """

    def __init__(self, *, fma: bool, attributes: str):
        self.fma, self.attributes = fma, attributes
        self.functions: list[Function] = []
        self.declarations: dict[str, None] = {}

    def function(self, title: str, parameters: str) -> Function:
        """A new function; `parameters` are names, separated by blanks."""
        self.functions.append(Function(self, title, parameters.split()))
        return self.functions[-1]

    def declare(self, declaration: str) -> None:
        """Declare a function that lies elsewhere; twice is once."""
        self.declarations[declaration] = None

    def __str__(self) -> str:
        head = [*self.declarations, f"attributes #0 = {{ {self.attributes} }}"]
        return "\n".join([*map(str, self.functions), *head, ""])
