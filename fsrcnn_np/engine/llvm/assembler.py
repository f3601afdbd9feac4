"""A small assembler: LLVM functions over 64-bit integers and vectors, written with Python's operators.

What Python computes while a function is written (loops over taps, block sizes) is unrolled and constant; what `Value`s
compute happens when the function runs. The text goes to LLVM without any optimisation pass that could change the
order of floating-point operations: a product and a sum become one FMA only where `fma` says so.

    int            64-bit integers: sizes, byte offsets, addresses
    float, double  scalars
    <n x …>        vectors, one pixel a lane
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

INT = "i64"


class Value:
    """The result of one instruction; `+ - * % < <= > >=` and `&` write the next one."""

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
        return self._arithmetic("fmul" if self.floating else "mul", other)

    def __mod__(self, other: int) -> Value:
        return self._arithmetic("urem", other)

    def __and__(self, other: Value) -> Value:
        return self._arithmetic("and", other)

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

    def load(self, kind: str, address: Value, align: int = 4) -> Value:
        """What is at an address; `align` in bytes."""
        return self.emit(kind, f"load {kind}, ptr {self._pointer(address)}, align {align}")

    def store(self, value: Value, address: Value, align: int = 4) -> None:
        """Write a value to an address; `align` in bytes."""
        pointer = self._pointer(address)
        self.lines.append(f"  store {value.kind} {value.name}, ptr {pointer}, align {align}")

    def splat(self, scalar: Value, lanes: int) -> Value:
        """A vector with the same number in every lane."""
        kind = f"<{lanes} x {scalar.kind}>"
        first = self.emit(kind, f"insertelement {kind} poison, {scalar.kind} {scalar.name}, i32 0")
        return self.emit(kind, f"shufflevector {kind} {first.name}, {kind} poison, <{lanes} x i32> zeroinitializer")

    def constant(self, kind: str, number: float) -> Value:
        """`number` in every lane of `kind`; it must be exact in binary."""
        if not kind.startswith("<"):
            return Value(self, kind, repr(float(number)))
        lanes, scalar = kind[1:-1].split(" x ")
        return Value(self, kind, "<" + ", ".join([f"{scalar} {float(number)!r}"] * int(lanes)) + ">")

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """a · b + c, rounded once; where the processor cannot do that, the product is rounded too."""
        if not self.module.fma:
            return a * b + c
        suffix = a.kind.strip("<>").replace("double", "f64").replace("float", "f32").replace(" x ", "")
        return self.call_intrinsic(f"llvm.fma.v{suffix}" if a.kind.startswith("<") else f"llvm.fma.{suffix}", a, b, c)

    def call_intrinsic(self, intrinsic: str, *arguments: Value) -> Value:
        """A function of LLVM's own, of arguments of one type, which is its result's as well."""
        kind = arguments[0].kind
        self.module.declare(f"declare {kind} @{intrinsic}({', '.join([kind] * len(arguments))})")
        operands = ", ".join(f"{argument.kind} {argument.name}" for argument in arguments)
        return self.emit(kind, f"call {kind} @{intrinsic}({operands})")

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

    def call(self, callee: Function | Value, *arguments: Value | int) -> None:
        """Call another function of the module, or the one at an address."""
        target = f"@{callee.title}" if isinstance(callee, Function) else self._pointer(callee)
        self.lines.append(f"  call void {target}({', '.join(f'{INT} {name(argument)}' for argument in arguments)})")

    # -- control flow

    def repeat(
        self, times: int, carried: list[Value], body: Callable[[Value, list[Value]], list[Value]]
    ) -> list[Value]:
        """carried = body(0, carried), body(1, carried) … : a loop of a fixed length ≥ 1 that hands values on."""
        before, top = self.block, f"l{self._unique()}"
        self.lines.append(f"  br label %{top}")
        self._label(top)
        start = len(self.lines)
        self.lines += [""] * (len(carried) + 1)
        inside = [Value(self, value.kind, f"%v{self._unique()}") for value in carried]
        index = Value(self, INT, f"%v{self._unique()}")
        result = body(index, list(inside))
        following = index + 1
        again = self.emit("i1", f"icmp slt {INT} {following.name}, {times}")
        last = self.block
        for number, (old, phi, new) in enumerate(
            zip([*carried, self.integer(0)], [*inside, index], [*result, following], strict=True)
        ):
            self.lines[start + number] = (
                f"  {phi.name} = phi {phi.kind} [ {old.name}, %{before} ], [ {new.name}, %{last} ]"
            )
        after = f"l{self._unique()}"
        self.lines.append(f"  br i1 {again.name}, label %{top}, label %{after}")
        self._label(after)
        return result

    @contextmanager
    def loop(self, start: Value | int, stop: Value | int, step: int = 1) -> Iterator[Value]:
        """for index in range(start, stop, step)"""
        before, top, inside, after = self.block, *(f"l{self._unique()}" for _ in range(3))
        self.lines.append(f"  br label %{top}")
        self._label(top)
        phi = len(self.lines)
        self.lines.append("")
        index = Value(self, INT, f"%v{self._unique()}")
        more = self.emit("i1", f"icmp slt {INT} {index.name}, {name(stop)}")
        self.lines.append(f"  br i1 {more.name}, label %{inside}, label %{after}")
        self._label(inside)
        yield index
        following = index + step
        self.lines[phi] = (
            f"  {index.name} = phi {INT} [ {name(start)}, %{before} ], [ {following.name}, %{self.block} ]"
        )
        self.lines.append(f"  br label %{top}")
        self._label(after)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """What is written in the `with` block runs where the condition is 1."""
        inside, after = f"l{self._unique()}", f"l{self._unique()}"
        self.lines.append(f"  br i1 {condition.name}, label %{inside}, label %{after}")
        self._label(inside)
        yield
        self.lines.append(f"  br label %{after}")
        self._label(after)

    # -- text

    def _unique(self) -> int:
        self.count += 1
        return self.count

    def _label(self, label: str) -> None:
        self.block = label
        self.lines.append(f"{label}:")

    def _pointer(self, address: Value) -> str:
        return self.emit("ptr", f"inttoptr {INT} {address.name} to ptr").name

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
