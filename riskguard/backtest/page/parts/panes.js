// One chart, its panes linked: what is drawn, in which colours, with a legend for each.

const box = document.getElementById("panes");
const { createChart, createSeriesMarkers, CandlestickSeries, LineSeries, BaselineSeries, HistogramSeries, LineType, CrosshairMode } = LightweightCharts;

const chart = createChart(box, {
  autoSize: true,
  layout: { attributionLogo: true, fontSize: 11, fontFamily: "system-ui, sans-serif", panes: { enableResize: true } },
  localization: { locale: "en-US", timeFormatter: stamp },
  crosshair: { mode: CrosshairMode.Normal },
  rightPriceScale: { borderVisible: false, minimumWidth: 58, entireTextOnly: true },
  timeScale: { timeVisible: true, minBarSpacing: 0.001, borderVisible: false, lockVisibleTimeRangeOnResize: true },
  handleScale: { axisPressedMouseMove: { time: true, price: false } },
});

function dressChart() {
  const line = colour("line");
  chart.applyOptions({
    layout: { background: { color: colour("card") }, textColor: colour("soft"), panes: { separatorColor: line, separatorHoverColor: faded("soft", 0.15) } },
    grid: { vertLines: { color: faded("soft", 0.07) }, horzLines: { color: faded("soft", 0.1) } },
    crosshair: { vertLine: { color: faded("soft", 0.6), labelBackgroundColor: colour("soft") }, horzLine: { color: faded("soft", 0.6), labelBackgroundColor: colour("soft") } },
  });
}

const common = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerRadius: 3 };
const between = (low, high) => ({ autoscaleInfoProvider: () => ({ priceRange: { minValue: low, maxValue: high } }) });

const kinds = {
  candles: {
    type: CandlestickSeries,
    dress: () => ({ upColor: colour("up"), downColor: colour("down"), wickUpColor: colour("up"), wickDownColor: colour("down"), borderVisible: false }),
  },
  line: {
    type: LineSeries,
    dress: (style) => ({ color: colour(style), lineWidth: style === "guarded" ? 2 : 1, lineStyle: style === "constant" ? 2 : 0 }),
  },
  area: {
    type: BaselineSeries,
    dress: (style) => ({ baseValue: { type: "price", price: 0 }, bottomLineColor: colour(style), bottomFillColor1: faded(style, 0.04), bottomFillColor2: faded(style, 0.24), topLineColor: colour(style), topFillColor1: "transparent", topFillColor2: "transparent", lineWidth: 2 }),
  },
  steps: {
    type: BaselineSeries,
    dress: (style) => ({ baseValue: { type: "price", price: 0 }, topLineColor: colour(style), topFillColor1: faded(style, 0.26), topFillColor2: faded(style, 0.1), bottomLineColor: colour(style), lineWidth: 1, lineType: LineType.WithSteps }),
  },
  bars: { type: HistogramSeries, dress: (style) => ({ color: colour(style), base: 0 }) },
};

// Every candle has its place, whatever is drawn: this line has all times and is never seen. Its
// last point keeps the end where it is.
const clock = chart.addSeries(LineSeries, { visible: false, priceScaleId: "clock" });
clock.setData(Array.from(times, (time, at) => (at + 1 < bars ? { time } : { time, value: 0 })));

const lines = [];
data.panes.forEach((pane, number) => {
  for (const line of pane.lines) {
    line.values = line.columns.map(floats);
    line.columns = null;
    const { type, dress: dressed } = kinds[line.kind];
    const inside = { Drawdown: (value) => value <= 0, Exposure: (value) => value >= 0 && value <= 1 }[pane.name];
    const format = inside ? (value) => (inside(value) ? onAxis[line.unit](value) : "") : onAxis[line.unit];
    const decimals = { price: 1e-6, money: 0.01, share: 1e-4, coins: 0.01 }[line.unit];
    line.series = chart.addSeries(type, {
      ...common, ...dressed(line.style), visible: line.on,
      ...(line.scale === "right" ? {} : { priceScaleId: line.scale }),
      ...(pane.name === "Exposure" ? between(0, 1) : {}),
      priceFormat: { type: "custom", formatter: format, minMove: decimals },
    }, number);
    line.dress = () => line.series.applyOptions(dressed(line.style));
    line.drawn = null;
    if (line.on) fill(line);
    lines.push(line);
  }
});

function fill(line) {
  if (line.drawn === near) return;
  line.drawn = near;
  line.series.setData(points(line));
}

function lookAt(range) {
  const now = seen(range);
  if (now === near) return;
  near = now;
  lines.filter((line) => line.on).forEach(fill);
}

function show(line, on) {
  line.on = on;
  fill(line);
  line.series.applyOptions({ visible: on });
  line.button.setAttribute("aria-pressed", String(on));
  if (on) line.button.classList.remove("off");
}

// where the exchange closed a run by force
const forced = data.liquidated.flatMap(([name, candles]) => {
  const line = lines.find((one) => one.unit === "money" && one.style === name);
  return line ? [[createSeriesMarkers(line.series), candles]] : [];
});
function dressForced() {
  for (const [marks, candles] of forced) {
    marks.setMarkers(candles.map((candle, number) => ({ time: times[candle], position: "inBar", shape: "circle", size: 0.7, color: colour("state-3"), text: number ? "" : "liquidated" })));
  }
}

const wide = chart.panes();
data.panes.forEach((pane, number) => wide[number].setStretchFactor(pane.weight));

// ------------------------------------------------------------------ legends

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("--")) made.style.setProperty(key, value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const force = element("span", { class: "force" });
const legends = data.panes.map((pane, number) => {
  const legend = element("div", { class: "legend" }, element("b", {}, pane.name));
  if (pane.tag) legend.append(element("span", { class: "grade" }, pane.tag));
  // the strongest line is drawn last and named first
  for (const line of [...pane.lines].sort((one, two) => two.on - one.on || pane.lines.indexOf(two) - pane.lines.indexOf(one))) {
    line.output = element("output");
    const graded = ["reconstructed", "synthetic"].includes(line.tag) ? "span" : "small";
    line.button = element("button", { type: "button", "aria-pressed": String(line.on), "--colour": `var(--${line.style === "price" ? "down" : line.style})` }, element("i"), line.name);
    if (line.tag) line.button.append(" ", element(graded, graded === "span" ? { class: "grade" } : {}, line.tag));
    line.button.append(line.output);
    line.button.addEventListener("click", () => { show(line, !line.on); layOut(); });
    line.button.classList.toggle("off", !line.on);
    legend.append(line.button);
  }
  const off = pane.lines.filter((line) => !line.on).length;
  if (off) {
    const others = element("button", { type: "button", class: "others", "aria-expanded": "false" }, `+${off}`);
    others.title = "Lines that are not shown";
    others.addEventListener("click", () => {
      const open = legend.classList.toggle("open");
      others.setAttribute("aria-expanded", String(open));
      others.textContent = open ? "less" : `+${off}`;
      layOut();
    });
    legend.append(others);
  }
  if (!number) legend.append(force);
  box.append(legend);
  return legend;
});

function tell(candle) {
  for (const line of lines) {
    const value = line.values[line.values.length - 1][candle];
    line.output.textContent = Number.isNaN(value) || value === undefined ? "" : written[line.unit](value);
  }
  const names = [stamp(times[candle])];
  if (staged) names.push(data.stages[stage[candle]]);
  names.push(data.states[state[candle]]);
  force.textContent = names.join(" · ");
}

// Put each legend on its pane, and leave room for it above what is drawn. All is read before
// anything is written, so that the page is laid out once.
const rooms = [];
function layOut() {
  const top = box.getBoundingClientRect().top;
  const places = wide.map((pane) => pane.getHTMLElement()?.getBoundingClientRect());
  const heights = legends.map((legend) => legend.offsetHeight);
  places.forEach((place, number) => {
    if (!place?.height) return;
    legends[number].style.top = `${Math.round(place.top - top)}px`;
    const room = Math.min(0.55, (heights[number] + 8) / place.height);
    const bottom = number ? 6 / place.height : 26 / place.height;
    if (rooms[number] === room + bottom) return;
    rooms[number] = room + bottom;
    for (const line of data.panes[number].lines) line.series.priceScale().applyOptions({ scaleMargins: { top: room, bottom } });
  });
}

let due = 0;
function layOutSoon() {
  due ||= requestAnimationFrame(() => { due = 0; layOut(); });
}

chart.subscribeCrosshairMove(({ logical }) => {
  tell(logical === undefined ? bars - 1 : Math.min(bars - 1, Math.max(0, Math.round(logical))));
});
listeners.push(dressChart, dressForced, () => lines.forEach((line) => line.dress()));
dressChart();
dressForced();
