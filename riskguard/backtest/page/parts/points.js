// What is drawn of a line: from afar no more than a screen can tell apart, else every candle.

const [FAR, NEAR] = ["far", "near"];
const STRETCHES = 1_000; // of the whole history seen from afar, one or two pixels wide each
const stretch = Math.max(1, Math.ceil(bars / STRETCHES));

function* pieces() {
  for (let from = 0; from < bars; from += stretch) yield [from, Math.min(bars, from + stretch)];
}

// The lowest and the highest candle of each stretch, as they follow: no extreme is lost.
function* extremes(value) {
  for (const [from, to] of pieces()) {
    let low = -1;
    let high = -1;
    for (let at = from; at < to; at += 1) {
      if (Number.isNaN(value[at])) continue;
      if (low < 0 || value[at] < value[low]) low = at;
      if (high < 0 || value[at] > value[high]) high = at;
    }
    yield low < 0 ? from : Math.min(low, high);
    if (low !== high) yield Math.max(low, high);
  }
}

// Each stretch as one candle; times without a value keep every candle's place.
function joinedCandles([open, high, low, close]) {
  const found = Array.from(times, (time) => ({ time }));
  for (const [from, to] of pieces()) {
    const one = Object.assign(found[from], { open: open[from], high: high[from], low: low[from], close: close[to - 1] });
    for (let at = from + 1; at < to; at += 1) {
      if (high[at] > one.high) one.high = high[at];
      if (low[at] < one.low) one.low = low[at];
    }
  }
  return found;
}

const candles = ([open, high, low, close]) => Array.from(times, (time, at) => ({ time, open: open[at], high: high[at], low: low[at], close: close[at] }));

const unseen = {
  line: { color: "transparent" },
  bars: {},
  area: { topLineColor: "transparent", topFillColor1: "transparent", topFillColor2: "transparent", bottomLineColor: "transparent", bottomFillColor1: "transparent", bottomFillColor2: "transparent" },
};
unseen.steps = unseen.area;

// Points of a line; where nothing is known the line is not drawn, rather than drawn across.
function points({ kind, values }, look) {
  if (kind === "candles") return look === NEAR ? candles(values) : joinedCandles(values);
  const [value] = values;
  const found = [];
  let gap = false;
  for (const at of look === NEAR ? value.keys() : extremes(value)) {
    const point = { time: times[at] };
    if (!Number.isNaN(value[at])) Object.assign(point, { value: value[at] }, gap ? unseen[kind] : {});
    gap = Number.isNaN(value[at]);
    found.push(point);
  }
  return found;
}
