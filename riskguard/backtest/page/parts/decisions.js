// The decisions: a row each, and the way from a row to its bar and back.

const text = (number) => data.texts[number];
const prices = data.panes[0].lines[0].values;
const rows = data.rows.map(([candle, when, level, strictness, cap, asks, moved, reasons], number) => {
  const [, , levelBefore, strictnessBefore, capBefore] = data.rows[number - 1] ?? [0, "", 0, 0, 1];
  const tighter = cap < capBefore || (cap === capBefore && (strictness > strictnessBefore || (strictness === strictnessBefore && level > levelBefore)));
  return { number, candle, when, level, strictness, cap, asks: text(asks), moved: Boolean(moved), reasons, tighter };
});

const shadeOf = (row) => (staged && row.level ? shades[row.level] : row.strictness ? `state-${row.strictness}` : "state-0");
// nothing was changed by the first row: it tells how things stood
const marked = rows.filter((row) => row.moved && (row.number || row.strictness)).map((row) => ({
  candle: row.candle, tighter: row.tighter, level: shadeOf(row), high: prices[1][row.candle], low: prices[2][row.candle],
}));
const guards = data.panes.map((pane, number) => {
  const guard = new Guard(number ? null : marked);
  pane.lines[pane.lines.length - 1].series.attachPrimitive(guard);
  return guard;
});
listeners.push(() => guards.forEach((guard) => guard.update()));

// ------------------------------------------------------------------ table

const list = document.getElementById("rows");
const body = list.querySelector("tbody");
const more = document.getElementById("more");
const filter = document.getElementById("moved");
const STEP = 60;
let listed = rows;
let drawn = 0;
let selected = null;

function reason([rule, leaf, value, threshold, margin, grade]) {
  const line = element("span", { class: "leaf" }, element("b", {}, text(rule)), text(leaf));
  if (text(grade)) line.append(" ", element("span", { class: "grade" }, text(grade)));
  const figure = element("span", { class: "figure" }, value);
  if (threshold) figure.append(" ", threshold);
  if (margin) figure.append(element("small", { title: "margin" }, margin));
  return element("div", {}, line, figure);
}

function rowOf(row) {
  const button = element("button", { type: "button" }, row.when.replace("T", " ").replace("Z", ""));
  const what = element("div", { class: "what" }, button);
  if (staged) what.append(element("span", { class: "pill", "--colour": `var(--${shadeOf(row)})` }, data.stages[row.level]));
  what.append(element("span", { class: staged ? "state" : "pill", "--colour": `var(--state-${row.strictness})` }, data.states[row.strictness]));
  what.append(element("span", { class: "cap" }, `cap ${plain(row.cap * 100, 0)}%`));
  if (row.asks) what.append(element("span", { class: "asks" }, row.asks));
  const why = element("div", { class: "why" }, ...row.reasons.map(reason));
  const made = element("tr", { role: "row", "data-row": row.number }, element("td", { role: "cell" }, what), element("td", { role: "cell" }, why));
  if (selected === row.number) made.setAttribute("aria-current", "true");
  return made;
}

function draw(until) {
  while (drawn < listed.length && drawn < until) body.append(rowOf(listed[drawn++]));
  more.hidden = drawn >= listed.length;
}

function refill() {
  listed = filter.checked ? rows.filter((row) => row.moved) : rows;
  body.replaceChildren();
  drawn = 0;
  draw(STEP);
  const shown = rows.length < data.decisions ? `${plain(rows.length, 0)} of ${plain(data.decisions, 0)} decisions, the strictest of each stretch; all are in the JSON report` : `${plain(rows.length, 0)} decisions`;
  document.getElementById("count").textContent = filter.checked ? `${shown}; ${plain(listed.length, 0)} changed stage or cap` : shown;
}

more.addEventListener("click", () => draw(drawn + STEP));
list.addEventListener("scroll", () => {
  if (list.scrollTop + 2 * list.clientHeight > list.scrollHeight) draw(drawn + STEP);
});
addEventListener("beforeprint", () => draw(listed.length));
filter.addEventListener("change", refill);

function mark(number) {
  body.querySelector("[aria-current]")?.removeAttribute("aria-current");
  selected = number;
  guards.forEach((guard) => guard.select(rows[number].candle));
  const at = listed.findIndex((row) => row.number === number);
  if (at < 0) return;
  if (at >= drawn) draw(at + STEP);
  const made = body.children[at];
  made.setAttribute("aria-current", "true");
  const low = made.offsetTop;
  if (low < list.scrollTop || low + made.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = low - list.clientHeight / 3;
}

// Move the chart to the bar of a decision; keep the zoom where single bars can be told apart.
function go(number) {
  const range = chart.timeScale().getVisibleLogicalRange();
  const span = Math.min(Math.max(range ? range.to - range.from : 120, 30), 160, bars * 1.2);
  const { candle } = rows[number];
  chart.timeScale().setVisibleLogicalRange({ from: candle - span / 2, to: candle + span / 2 });
  tell(candle);
  mark(number);
}

body.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (!row) return;
  go(Number(row.dataset.row));
  const { top, bottom } = box.getBoundingClientRect();
  if (bottom < 200 || top > innerHeight - 200) box.scrollIntoView({ block: "start" });
});

// Step from the selected decision, or from the middle of what is shown.
function step(way) {
  const moved = rows.filter((row) => row.moved);
  const range = chart.timeScale().getVisibleLogicalRange();
  const from = selected === null ? (range.from + range.to) / 2 : rows[selected].candle;
  const next = selected === null
    ? (way > 0 ? moved.find((row) => row.candle >= from) : moved.findLast((row) => row.candle <= from))
    : (way > 0 ? moved.find((row) => row.number > selected) : moved.findLast((row) => row.number < selected));
  if (next) go(next.number);
}

chart.subscribeClick(({ logical, point }) => {
  if (logical === undefined || !point) return;
  const found = rows.findLast((row) => row.candle <= Math.round(logical));
  if (found) mark(found.number);
});
refill();
