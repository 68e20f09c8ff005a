// What the guard did, drawn behind and above the prices: bands, a ribbon of states, marks.

const staged = data.stages.length > 1;
const bands = runs(staged ? stage : state);
const ribbon = staged ? runs(state) : [];
// the ramp of colours ends with the strictest stage, however many there are
const shades = staged
  ? data.stages.map((_, number) => number && `stage-${Math.ceil(number * 3 / (data.stages.length - 1))}`)
  : data.states.map((_, number) => number && `state-${number}`);

// Levels by pixel, the strictest of each: what lasts one bar is two pixels wide at any zoom.
function pixels(found, width, x, spacing) {
  const levels = new Uint8Array(Math.max(0, width));
  for (const [from, to, level] of found) {
    const left = Math.round(x(from) - spacing / 2);
    const right = Math.max(Math.round(x(to) + spacing / 2), left + 2);
    if (right <= 0 || left >= width) continue;
    for (let at = Math.max(0, left); at < Math.min(width, right); at += 1) {
      if (levels[at] < level) levels[at] = level;
    }
  }
  return levels;
}

function stretches(levels, draw) {
  for (let from = 0; from < levels.length;) {
    let to = from + 1;
    while (to < levels.length && levels[to] === levels[from]) to += 1;
    if (levels[from]) draw(from, to, levels[from]);
    from = to;
  }
}

class Guard {
  constructor(marked) {
    this.marked = marked; // rows to mark, in the pane of prices alone
    this.selected = null;
    this.views = [
      { zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.behind(target) }) },
      { zOrder: () => "top", renderer: () => ({ draw: (target) => this.above(target) }) },
    ];
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, update: requestUpdate });
  }

  paneViews() { return this.views; }

  select(candle) {
    this.selected = candle;
    this.update();
  }

  // Return the place of a candle in pixels, and the width of one.
  scale(ratio) {
    const time = this.chart.timeScale();
    const first = time.logicalToCoordinate(0);
    const spacing = time.options().barSpacing * ratio;
    return [(candle) => first * ratio + candle * spacing, spacing];
  }

  behind(target) {
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio, verticalPixelRatio }) => {
      const [x, spacing] = this.scale(horizontalPixelRatio);
      const { width, height } = bitmapSize;
      const shade = Number(colour("shade"));
      const deep = this.marked ? Math.round(5 * verticalPixelRatio) : 0;
      stretches(pixels(bands, width, x, spacing), (from, to, level) => {
        // beside the prices a sliver would drown at this shade
        context.fillStyle = faded(shades[level], this.marked && to - from <= 2 * horizontalPixelRatio ? 0.5 : shade);
        context.fillRect(from, 0, to - from, height);
      });
      if (!this.marked) return;
      stretches(pixels(staged ? ribbon : bands, width, x, spacing), (from, to, level) => {
        context.fillStyle = colour(`state-${level}`);
        context.fillRect(from, height - deep, to - from, deep);
      });
      if (staged) this.names(context, width, height - deep, x, spacing, verticalPixelRatio);
    });
  }

  names(context, width, bottom, x, spacing, ratio) {
    context.font = `600 ${11 * ratio}px system-ui, sans-serif`;
    context.textBaseline = "bottom";
    for (const [from, to, level] of bands) {
      const left = Math.max(0, x(from) - spacing / 2);
      const right = Math.min(width, x(to) + spacing / 2);
      const name = data.stages[level];
      if (right - left < 24 * ratio || context.measureText(name).width + 8 * ratio > right - left) continue;
      context.fillStyle = colour("ink");
      context.fillText(name, left + 4 * ratio, bottom - 3 * ratio);
    }
  }

  above(target) {
    target.useBitmapCoordinateSpace((space) => {
      const ratio = space.horizontalPixelRatio;
      const [x, spacing] = this.scale(ratio);
      if (this.selected !== null) {
        const at = Math.round(x(this.selected));
        space.context.fillStyle = faded("accent", 0.85);
        space.context.fillRect(at - Math.floor(ratio / 2), 0, Math.max(1, Math.round(ratio)), space.bitmapSize.height);
      }
      if (this.marked) this.marks(space, x, spacing, ratio);
    });
  }

  marks({ context, bitmapSize, verticalPixelRatio }, x, spacing, ratio) {
    const last = { down: -Infinity, up: -Infinity };
    const size = 5 * ratio;
    for (const { candle, tighter, level, high, low } of this.marked) {
      const at = x(candle);
      const way = tighter ? "down" : "up";
      if (at < -size || at > bitmapSize.width + size || at - last[way] < size * 2) continue;
      last[way] = at;
      const edge = this.series.priceToCoordinate(tighter ? high : low) * verticalPixelRatio;
      const [tip, base] = tighter ? [edge - 4 * ratio, edge - 12 * ratio] : [edge + 4 * ratio, edge + 12 * ratio];
      context.beginPath();
      context.moveTo(at, tip);
      context.lineTo(at - size, base);
      context.lineTo(at + size, base);
      context.closePath();
      context.fillStyle = tighter ? colour(level) : colour("state-0");
      context.fill();
      context.lineWidth = ratio;
      context.strokeStyle = colour("card");
      context.stroke();
    }
  }
}
