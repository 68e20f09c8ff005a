// The data of the page: columns are read as they lie in memory, no digit is parsed.

const data = JSON.parse(document.getElementById("drawn").textContent);

function bytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const signs = atob(text);
  const found = new Uint8Array(signs.length);
  for (let at = 0; at < signs.length; at += 1) found[at] = signs.charCodeAt(at);
  return found;
}
const floats = (text) => new Float32Array(bytes(text).buffer);

const times = new Int32Array(data.times.reduce((sum, run) => sum + run[2], 0));
let place = 0;
for (const [first, step, count] of data.times) {
  for (let number = 0; number < count; number += 1) times[place++] = first + number * step;
}
const bars = times.length;
const stage = bytes(data.stage);
const state = bytes(data.state);

// Runs of an equal level above 0: [from, to, level].
function runs(levels) {
  const found = [];
  for (let from = 0; from < bars;) {
    let to = from;
    while (to + 1 < bars && levels[to + 1] === levels[from]) to += 1;
    if (levels[from]) found.push([from, to, levels[from]]);
    from = to + 1;
  }
  return found;
}

// Digits in groups of three. The browser's own number format takes longer to come than a pane.
function plain(value, digits) {
  const [whole, part = ""] = value.toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = part.replace(/0+$/, "");
  return rest ? `${grouped}.${rest}` : grouped === "-0" ? "0" : grouped;
}

function compact(value) {
  const size = Math.abs(value);
  for (const [limit, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (size >= limit) return plain(value / limit, size >= 100 * limit ? 0 : size >= 10 * limit ? 1 : 2) + letter;
  }
  return plain(value, size < 10 ? 2 : 0);
}

const dollars = (text) => text.startsWith("-") ? `-$${text.slice(1)}` : `$${text}`;
const price = (value) => {
  const size = Math.abs(value);
  return plain(value, size >= 1000 ? 0 : size >= 1 ? 2 : 6);
};
const written = {
  price,
  money: (value) => dollars(Math.abs(value) < 1e6 ? plain(value, Math.abs(value) < 100 ? 2 : 0) : compact(value)),
  share: (value) => `${plain(value * 100, 1)}%`,
  coins: compact,
};
const onAxis = { ...written, money: (value) => dollars(compact(value)), share: (value) => `${plain(value * 100, 0)}%` };

const stamp = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
