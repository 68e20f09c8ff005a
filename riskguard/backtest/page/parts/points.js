// What is drawn of a line: no more than a screen can tell apart, and of that no extreme is lost.

const MOST = 1_000; // pieces of what is looked at, one or two pixels wide each
// a few thousand candles are drawn as they are
const coarsest = bars > 4 * MOST ? Math.ceil(bars / MOST) : 1;

// Candles from..to are drawn in pieces of `size`, all others in the coarsest.
const far = { from: 0, to: bars, size: coarsest };
let near = far;

// Return what is to be drawn for a stretch that is looked at: it, and as much on either side.
function seen({ from, to }) {
  const span = to - from;
  const size = 2 ** Math.max(0, Math.ceil(Math.log2(span / MOST)));
  if (size >= coarsest) return far;
  const inside = near.from <= Math.max(0, from - 1) && Math.min(bars, to + 1) <= near.to;
  return inside && near.size === size ? near : { from: Math.max(0, Math.floor(from - span)), to: Math.ceil(to + span), size };
}

function* pieces() {
  for (let from = 0; from < bars;) {
    const inside = from >= near.from && from < near.to;
    const edge = from < near.from ? near.from : inside ? near.to : bars;
    const to = Math.min(from + (inside ? near.size : coarsest), edge, bars);
    yield [from, to];
    from = to;
  }
}

// The lowest and the highest candle of each piece, as they follow.
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

// Each piece as one candle.
function* candles([open, high, low, close]) {
  for (const [from, to] of pieces()) {
    const one = { time: times[from], open: open[from], high: high[from], low: low[from], close: close[to - 1] };
    for (let at = from + 1; at < to; at += 1) {
      if (high[at] > one.high) one.high = high[at];
      if (low[at] < one.low) one.low = low[at];
    }
    yield one;
  }
}

const clear = { topLineColor: "transparent", topFillColor1: "transparent", topFillColor2: "transparent", bottomLineColor: "transparent", bottomFillColor1: "transparent", bottomFillColor2: "transparent" };
const unseen = { line: { color: "transparent" }, bars: {}, area: clear, steps: clear };

// Points of a line; where nothing is known the line is not drawn, rather than drawn across.
function points({ kind, values }) {
  if (kind === "candles") return [...candles(values)];
  const [value] = values;
  const found = [];
  let gap = false;
  for (const at of extremes(value)) {
    const point = { time: times[at] };
    if (!Number.isNaN(value[at])) Object.assign(point, { value: value[at] }, gap ? unseen[kind] : {});
    gap = Number.isNaN(value[at]);
    found.push(point);
  }
  return found;
}
