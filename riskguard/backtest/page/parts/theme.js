// Light or dark: as the system says, until the reader says otherwise.

const root = document.documentElement;
const listeners = [];
const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;
try { chosen = localStorage.getItem("riskguard-theme"); } catch { /* a file may be refused storage */ }

// asked for at every frame: each is looked up once a theme
const colours = new Map();
function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(root).getPropertyValue(`--${name}`).trim());
  return colours.get(name);
}

function faded(name, alpha) {
  const whole = `${name} ${alpha}`;
  if (!colours.has(whole)) {
    const [, red, green, blue] = colour(name).match(/^#(..)(..)(..)$/).map((part) => parseInt(part, 16));
    colours.set(whole, `rgba(${red}, ${green}, ${blue}, ${alpha})`);
  }
  return colours.get(whole);
}

function dress() {
  const dark = chosen ? chosen === "dark" : system.matches;
  root.dataset.theme = dark ? "dark" : "light";
  root.style.colorScheme = root.dataset.theme;
  colours.clear();
  document.getElementById("theme").setAttribute("aria-pressed", String(dark));
  listeners.forEach((listener) => listener());
}

document.getElementById("theme").addEventListener("click", () => {
  chosen = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("riskguard-theme", chosen); } catch { /* then for this visit alone */ }
  dress();
});
system.addEventListener("change", dress);
dress();
