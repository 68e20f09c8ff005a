"""From the syntax of a line to typed values: names are looked up, dimensions are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.expression import Argument, Binary, Literal, Negative, Path
from riskguard.language.findings import SURE, LineError, near, suggestion
from riskguard.language.judging import brevity
from riskguard.language.reading.indicators import LIBRARIES, indicator
from riskguard.language.ruleset import (
    Arithmetic,
    Constant,
    Indicator,
    Measured,
    ParameterValue,
    SeriesValue,
    Span,
)
from riskguard.language.schema import CALENDARS, CALENDARS_OF, MARKET, MEASURES, SYMBOL, Measure
from riskguard.language.tables.ta_table import called
from riskguard.language.text.units import LONGEST, WORDS, combined, thousands

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.language.expression import Segment, Syntax
    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import Value

__all__ = ["ValueReader"]

Base = SeriesValue | Indicator | Measured  # what a measure may be taken of

CALENDAR_WORDS = {"day": "today", "daily": "today", "week": "this_week", "weekly": "this_week"}
NOISY = frozenset({"change", "drop", "rise"})  # of a single bar of a flow


class ValueReader:
    """Reads the values of one text; offsets become places through `place`."""

    def __init__(self, scope: Scope, text: str, place: Callable[[int, int], Span]) -> None:
        self.scope, self.text, self.place = scope, text, place

    def read(self, node: Syntax) -> Value:
        """Return the typed value, or raise LineError."""
        if isinstance(node, Literal):
            return self._literal(node)
        if isinstance(node, Path):
            return self._path(node)
        if isinstance(node, Negative):
            return self._negative(node)
        return self._binary(node)

    def window(self, node: Syntax, measure: str) -> int:
        """Return a window in ns from a literal, a number of bars or a parameter."""
        held = self.held(node)
        if held is None:
            raise self._no_window(node, measure)
        value, dimension = held
        if dimension == "bars":
            value *= self._bar(node)
        if value > LONGEST:
            message = f"{self._text(node)} is longer than 100 years"
            raise LineError("RG110", node.start, node.end, message, "write a shorter time")
        if round(value) <= 0:
            message = f"the window of {measure}() must be longer than nothing"
            raise LineError("RG205", node.start, node.end, message, "for example 24h")
        return round(value)

    def held(self, node: Syntax) -> tuple[float, str] | None:
        """Return (value, "time" or "bars") of a literal or a parameter, None if it is neither."""
        if isinstance(node, Literal) and node.dimension in {"time", "bars"}:
            return node.value, node.dimension
        if isinstance(node, Path):
            self.scope.trust(node.word)
        if isinstance(node, Path) and node.word in self.scope.params:
            parameter = self.scope.params[node.word]
            if parameter.dimension in {"time", "bars"} and parameter.value is not None:
                self.scope.used.add(parameter.name)
                return parameter.value, parameter.dimension
        return None

    def _bar(self, node: Syntax) -> int:
        if self.scope.every is None:
            message = f"how long is a bar? '{self._text(node)}' needs the decision interval"
            fix = 'write "every: 1h" (or 4h ...) in the file'
            raise LineError("RG205", node.start, node.end, message, fix)
        self.scope.bars_used = True
        return self.scope.every

    def _no_window(self, node: Syntax, measure: str) -> LineError:
        what, fix = "something else", "for example 24h"
        if isinstance(node, Path) and node.word:
            found = near(node.word, self.scope.params)
            what = f"'{node.word}'"
            found = found or CALENDAR_WORDS.get(node.word, "")
            fix = f"did you mean '{found}'?" if found else fix
        elif isinstance(node, Literal):
            what = WORDS[node.dimension]
            if node.dimension == "plain":
                text = self._text(node)
                hours, bars = f"{text}h", f"{text} bars"
                charted = measure in {"sma", "ema", "atr"}  # a chart counts them in bars
                fix = f"write {bars} or {hours}" if charted else f"write {hours} or {bars}"
                fix = "months are written in days: 30d" if text.endswith("M") else fix
        message = f"{measure}() needs a window such as 24h or 20 bars, not {what}"
        return LineError("RG205", node.start, node.end, message, fix)

    def _text(self, node: Syntax) -> str:
        return self.text[node.start : node.end]

    def _literal(self, node: Literal) -> Constant:
        if node.dimension == "bars":
            message = "a number of bars is a window, not a value"
            raise LineError("RG305", node.start, node.end, message, "put it inside the brackets")
        place, text = self.place(node.start, node.end), self._text(node)
        thousands(text, place, self.scope.findings)
        return Constant(node.value, node.dimension, place, text)

    def _negative(self, node: Negative) -> Value:
        inner = self.read(node.of)
        place, text = self.place(node.start, node.end), self._text(node)
        zero = Constant(0.0, inner.dimension, place, "0")
        return Arithmetic("-", zero, inner, inner.dimension, place, text)

    def _binary(self, node: Binary) -> Arithmetic:
        left, right = self.read(node.left), self.read(node.right)
        found = combined(node.op, left.dimension, right.dimension)
        if found is None:
            signs = {"+": "added to", "-": "taken from", "*": "multiplied with", "/": "set under"}
            first, second = WORDS[left.dimension], WORDS[right.dimension]
            message = f"{second} cannot be {signs[node.op]} {first}"
            fix = "use equal units, or a percentage or a plain number on the right"
            raise LineError("RG305", node.start, node.end, message, fix)
        op, dimension = found
        place = self.place(node.start, node.end)
        return Arithmetic(op, left, right, dimension, place, self._text(node))

    def _path(self, path: Path) -> Value:
        segments, symbol = path.segments, ""
        self.scope.trust(segments[0].name)
        head = segments[0]
        if SYMBOL.fullmatch(head.name) and head.arguments is None:
            symbol = self._symbol(head, segments[1:])
            segments = segments[1:]
            if not segments:
                message = f"which series of {head.name}?"
                fix = f"for example {head.name}.close" if symbol else "write close"
                raise LineError("RG102", head.start, head.end, message, fix)
        elif path.word in self.scope.params:
            self.scope.used.add(path.word)
            dimension = self.scope.params[path.word].dimension
            place = self.place(path.start, path.end)
            return ParameterValue(path.word, dimension, place, self._text(path))
        return self._chain(path, symbol, segments)

    def _symbol(self, head: Segment, after: tuple[Segment, ...]) -> str:
        if head.name != self.scope.symbol and head.name not in self.scope.symbols:
            known = [one for one in (self.scope.symbol, *self.scope.symbols) if one]
            input_of = after[0].name in MARKET if after else False
            if not input_of and near(head.name, self.scope.known(), SURE):
                raise self.scope.unknown(head.name, head.start, head.end)
            close = near(head.name, known)
            fix = f'list it: "symbols: [{", ".join(dict.fromkeys([*known, head.name]))}]"'
            if after and after[0].name in MEASURES and after[0].arguments is not None:
                inside = self.text[after[0].end : after[0].closed]
                fix = f"a measure follows an input: close.{after[0].name}{inside}"
            elif not after:
                fix = f"the price of the guarded symbol is close; for that of another {fix}"
            fix = f"did you mean '{close}'?" if close else fix
            raise LineError("RG203", head.start, head.end, f"unknown symbol '{head.name}'", fix)
        return "" if head.name == self.scope.symbol else head.name

    def _chain(self, path: Path, symbol: str, segments: tuple[Segment, ...]) -> Value:
        """Find the longest dotted input, then apply the measures after it."""
        if segments[0].name in LIBRARIES:
            found: Base
            found, after = indicator(self, path, symbol, segments)
            for segment in after:
                found = self._measured(path, found, segment, "level")
            return found
        bare = 0
        while bare < len(segments) and segments[bare].arguments is None:
            bare += 1
        head = segments[0]
        for count in range(bare, 0, -1):
            name = ".".join(segment.name for segment in segments[:count])
            known = self.scope.find_input(symbol, name)
            if known is not None:
                end = segments[count - 1].end
                place, text = self.place(path.start, end), self.text[path.start : end]
                value: Base = SeriesValue(symbol, name, known.spec.dimension, place, text)
                for segment in segments[count:]:
                    value = self._measured(path, value, segment, known.spec.kind)
                return value
        if head.name in self.scope.params:
            message = f"a parameter has no measures, found '{self._text(path)}'"
            raise LineError("RG202", head.start, path.end, message, f"write {head.name} alone")
        if head.name in self.scope.definitions or head.name in self.scope.rules:
            message = f"'{head.name}' is a condition, not a value"
            meant = called(head.name) if head.arguments is not None else ""
            fix = f"functions of ta are written {meant}" if meant else "give it a line of its own"
            raise LineError("RG305", head.start, head.end, message, fix)
        if bare < len(segments):
            self._called(symbol, segments[: bare + 1])
        written = ".".join(segment.name for segment in segments[:bare])
        raise self.scope.unknown(head.name, head.start, head.end, written=written)

    def _called(self, symbol: str, segments: tuple[Segment, ...]) -> None:
        """Refuse brackets that follow an input, or a measure without one."""
        name, last = ".".join(segment.name for segment in segments), segments[-1]
        inside = self.text[last.end : last.closed]
        if len(segments) == 1 and last.name in MEASURES:
            message = f"unknown name '{last.name}'"
            of, comma, rest = inside[1:-1].partition(",")
            example = f"{of.strip()}.{last.name}({rest.strip()})"
            of = f"{symbol}.close" if symbol else "close"
            example = example if comma else f"{of}.{last.name}{inside}"
            fix = f"a measure follows an input: {example}"
            raise LineError("RG201", last.start, last.end, message, fix)
        known = self.scope.find_input(symbol, name)
        if known is not None:
            measure = "sum" if known.spec.kind == "flow" else "change"
            window = inside if inside.strip("() ") else "(24h)"
            fix = f"write {name} alone, or measure it: {name}.{measure}{window}"
            raise LineError("RG205", last.end, last.closed, f"{name} takes no brackets", fix)

    def _measured(self, path: Path, of: Base, segment: Segment, kind: str) -> Measured:
        measure = MEASURES.get(segment.name)
        if measure is None:
            fix = suggestion(segment.name, MEASURES)
            if called(segment.name):
                fix = f"functions of ta are written {called(segment.name)}"
            elif segment.name in CALENDARS:
                of_all = "drawdown" if segment.name == "all" else "change"
                fix = f"write {of.text}.{'sum' if kind == 'flow' else of_all}({segment.name})"
            elif SYMBOL.fullmatch(segment.name):
                fix = f"the symbol stands first: {segment.name}.{of.text}"
            message = f"unknown measure '{segment.name}'"
            raise LineError("RG202", segment.start, segment.end, message, fix)
        if segment.arguments is None or (measure.windowed and not segment.arguments):
            wants = "a window" if measure.windowed else "its brackets"
            inside = measure.example if measure.windowed else ""
            fix = f"for example {segment.name}({inside})"
            message = f"{segment.name} needs {wants}"
            raise LineError("RG204", segment.start, segment.end, message, fix)
        self._fits(of, segment, measure, kind)
        calendar = self._calendar(segment, segment.arguments)
        window = minimum = None
        if not calendar:
            window, minimum = self._arguments(segment, segment.arguments, measure)
        function = "mean" if segment.name == "sma" else segment.name
        place = self.place(path.start, segment.closed)
        text = self.text[path.start : segment.closed]
        dimension = measure.result or of.dimension
        return Measured(function, of, window, minimum, dimension, place, text, calendar)

    def _calendar(self, segment: Segment, arguments: tuple[Argument, ...]) -> str:
        """Return today, this_week or all where that is the window, "" where it is none."""
        first = arguments[0] if arguments else None
        word = first.value.word if first and isinstance(first.value, Path) else ""
        if first is None or word not in CALENDARS or word in self.scope.params:
            return ""
        allowed = [name for name, words in CALENDARS_OF.items() if word in words]
        if segment.name not in allowed:
            message = f"{segment.name}() has no window '{word}'"
            fix = f"{word} is for {', '.join(allowed)}; write a time such as 24h"
            raise LineError("RG205", first.start, first.end, message, fix)
        if len(arguments) > 1:
            second = arguments[1]
            message = f"nothing stands beside '{word}'"
            raise LineError("RG205", second.start, second.end, message, "remove it")
        return word

    def _fits(self, of: Base, segment: Segment, measure: Measure, kind: str) -> None:
        """Refuse sums of what is no flow; warn of measures that mostly see noise."""
        start, end, name = segment.start, segment.end, segment.name
        series = isinstance(of, SeriesValue)
        if measure.flows and series and kind == "rolling":
            dollars = "dollars" if of.dimension == "dollars" else "amounts"
            message = (
                f"{of.text} is already a rolling total: summing it counts the same {dollars} "
                "many times"
            )
            raise LineError("RG411", start, end, message, "drop sum(), or use change()")
        if measure.flows and not (series and kind == "flow"):
            message = f"{name}() of {of.text}: it is a level, not a flow"
            raise LineError("RG410", start, end, message, "use mean(), high() or low()")
        if name in {"atr", "age"} and not series:
            message = f"{name}() is taken of an input, not of {of.text}"
            example = "close.atr(14d)" if name == "atr" else "close.age()"
            raise LineError("RG202", start, end, message, f"for example {example}")
        if name == "atr" and isinstance(of, SeriesValue) and of.name != "close":
            message = f"atr() reads the bars of a symbol, not {of.text}"
            raise LineError("RG202", start, end, message, "write close.atr(14d)")
        if name in NOISY and series and kind == "flow":
            message = f"{name}() of a single bar of {of.text} is noise"
            fix = f"write {of.text}.sum(24h).{name}(24h)"
            self.scope.findings.warn("RG412", self.place(start, end), message, fix)

    def _arguments(
        self, segment: Segment, arguments: tuple[Argument, ...], measure: Measure
    ) -> tuple[int | None, int | None]:
        if not measure.windowed:
            if arguments:
                first = arguments[0]
                message = f"{segment.name}() takes nothing in its brackets"
                raise LineError("RG205", first.start, first.end, message, "leave them empty")
            return None, None
        window = minimum = None
        whole = ""
        for argument in arguments:
            if argument.keyword in {"", "window"} and window is None:
                window = self._long_enough(argument.value, segment.name)
                whole = self._text(argument.value)
            elif argument.keyword == "min" and window is not None and minimum is None:
                minimum = self._minimum(argument, segment.name, window, whole)
            else:
                raise self._odd_argument(argument, segment)
        return window, minimum

    def _odd_argument(self, argument: Argument, segment: Segment) -> LineError:
        if argument.keyword in {"", "window"}:
            message = f"{segment.name}() takes one window"
            least = f"write min={self._text(argument.value)}"
            fix = least if MEASURES[segment.name].baseline else "remove the second"
            return LineError("RG205", argument.start, argument.end, message, fix)
        if argument.keyword == "min":
            message = '"min=" stands once, after the window'
            fix = f"for example {segment.name}(30d, min=14d)"
            return LineError("RG205", argument.start, argument.end, message, fix)
        end = argument.start + len(argument.keyword)
        message = f"{segment.name} has no parameter '{argument.keyword}'"
        fix = f"write {segment.name}({self._text(argument.value)})"
        return LineError("RG207", argument.start, end, message, fix)

    def _long_enough(self, node: Syntax, measure: str) -> int:
        window = self.window(node, measure)
        if told := brevity.window(window, self.scope.every):
            raise LineError(told.code, node.start, node.end, told.message, told.help)
        return window

    def _minimum(self, argument: Argument, name: str, window: int, whole: str) -> int:
        if not MEASURES[name].baseline:
            message = f'{name}() takes no "min="'
            fix = "only mean, stdev, zscore, times_avg and percentile do; drop it"
            raise LineError("RG214", argument.start, argument.end, message, fix)
        minimum = self.window(argument.value, f"{name}(min=…)")
        if minimum > window:
            shown = self._text(argument.value)
            message = f"min {shown} is longer than the window {whole}"
            fix = f"write at most {whole}, for example min=1d"
            raise LineError("RG215", argument.value.start, argument.end, message, fix)
        return minimum
