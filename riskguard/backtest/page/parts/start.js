// Buttons, keys, and the first look.

const time = chart.timeScale();
const shortest = bars > 1 ? Math.min(...data.times.filter((run) => run[1]).map((run) => run[1])) : 3600;

function whole() { time.setVisibleLogicalRange({ from: -0.5, to: bars - 0.5 }); }

const DAY = 86400;
const spans = document.getElementById("spans");
for (const [name, seconds] of [["all", 0], ["1y", 365 * DAY], ["90d", 90 * DAY], ["30d", 30 * DAY], ["7d", 7 * DAY], ["1d", DAY]]) {
  const count = seconds / shortest;
  if (seconds && (count > bars * 0.8 || count < 12)) continue;
  const button = element("button", { type: "button" }, name);
  button.addEventListener("click", () => {
    if (!seconds) { whole(); return; }
    const range = time.getVisibleLogicalRange();
    const middle = selected === null ? Math.min(bars - count / 2, (range.from + range.to) / 2) : rows[selected].candle;
    time.setVisibleLogicalRange({ from: middle - count / 2, to: middle + count / 2 });
  });
  spans.append(button);
}

document.getElementById("before").addEventListener("click", () => step(-1));
document.getElementById("after").addEventListener("click", () => step(1));

const log = document.getElementById("log");
log.addEventListener("click", () => {
  const on = log.getAttribute("aria-pressed") !== "true";
  log.setAttribute("aria-pressed", String(on));
  data.panes.slice(0, 2).forEach((pane) => pane.lines[0].series.priceScale().applyOptions({ mode: on ? 1 : 0 }));
});

box.addEventListener("keydown", (event) => {
  if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
  const range = time.getVisibleLogicalRange();
  const span = range.to - range.from;
  const move = (from, to) => time.setVisibleLogicalRange({ from: range.from + from * span, to: range.to + to * span });
  const keys = {
    ArrowLeft: () => move(-0.2, -0.2), ArrowRight: () => move(0.2, 0.2),
    "+": () => move(0.2, -0.2), "=": () => move(0.2, -0.2), "-": () => move(-0.25, 0.25),
    Home: whole, End: () => time.setVisibleLogicalRange({ from: bars - 0.5 - span, to: bars - 0.5 }),
    ",": () => step(-1), ".": () => step(1),
  };
  if (keys[event.key]) { keys[event.key](); event.preventDefault(); }
});

// What the colours mean: stages, and the state below the prices.
const key = document.getElementById("key");
const swatch = (name, shade) => element("span", {}, element("i", { style: `background: var(--${shade})` }), name);
if (staged) data.stages.forEach((name, number) => number && key.append(swatch(name, shades[number])));
else data.states.forEach((name, number) => number && key.append(swatch(name, `state-${number}`)));

const joined = data.candle === data.every ? `Each candle is a bar of ${data.every}` : `Each candle is ${data.candle}, joined from ${plain(data.bars, 0)} bars of ${data.every}: highs and lows, the worst drawdown, the least exposure and the strictest state of each are kept`;
document.getElementById("candle").textContent = `${joined}. Bands: ${staged ? "stages, with the state as a ribbon below" : "states"}. Triangles: a decision that tightened (above) or loosened (below). Times are closes, UTC.`;

whole();
tell(bars - 1);
layOut();
const sizes = new ResizeObserver(layOutSoon);
for (const part of [box, ...wide.map((pane) => pane.getHTMLElement())]) if (part) sizes.observe(part);
// the axis has its width now, so the whole history fits
requestAnimationFrame(() => {
  layOut();
  whole();
  requestAnimationFrame(() => {
    performance.mark("riskguard-ready");
    root.dataset.ready = String(Math.round(performance.now()));
    time.subscribeVisibleLogicalRangeChange((range) => { if (range) lookAt(range); });
  });
});
window.riskguard = { chart, data, rows, go }; // for the curious, and for tests
