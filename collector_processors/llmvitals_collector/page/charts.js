// Drawings, by hand: small trends, a heatmap, intervals. What they say is in words beside them, or in their labels.

const SVG = "http://www.w3.org/2000/svg";

/** An element: attributes by name, then children; a text is a text, whatever is in it. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return filled(made, attributes, children);
}

function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** A line of values, null where there is none; `limit` is a dashed line to compare it with. */
export function spark(values, label, limit) {
  const known = values.filter((value) => value !== null);
  const svg = drawn("svg", {class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": label});
  if (known.length < 2) return svg;
  const top = Math.max(...known, 0);
  const near = limit !== undefined && limit < top * 4;
  const highest = (near ? Math.max(top, limit) : top) || 1;
  const x = (place) => (place / (values.length - 1)) * 100;
  const y = (value) => 29 - (value / highest) * 28;
  svg.append(drawn("path", {class: "area", d: runs(values, x, y, true)}), drawn("path", {d: runs(values, x, y)}));
  if (near) svg.append(drawn("line", {x1: 0, x2: 100, y1: y(limit), y2: y(limit)}));
  return svg;
}

/** The path of a line, or of the area under it, with gaps where there is no value. */
function runs(values, x, y, area = false) {
  const parts = [];
  let run = [];
  for (let place = 0; place <= values.length; place++) {
    const value = values[place] ?? null;
    if (value !== null) run.push([x(place), y(value)]);
    else if (run.length) {
      const points = area ? [[run[0][0], 30], ...run, [run.at(-1)[0], 30]] : run;
      parts.push(`M${points.map(([left, high]) => `${left.toFixed(2)},${high.toFixed(2)}`).join("L")}${area ? "Z" : ""}`);
      run = [];
    }
  }
  return parts.join("");
}

/**
 * A heatmap of `counts`, a row of buckets for each slot of `start` and `seconds`, between `bounds` (one more than
 * buckets, the last null where it has no bound), with a line of `tail`. `pointed` is told the slot and the bucket.
 */
export function heatmap({start, seconds}, {bounds, counts, tail}, label, written, pointed) {
  const rows = bounds.length - 1;
  const begin = start[0];
  const length = start.at(-1) + seconds.at(-1) - begin;
  const svg = drawn("svg", {viewBox: `0 0 ${length} ${rows}`, preserveAspectRatio: "none", role: "img", "aria-label": label});
  const rate = (slot, bucket) => counts[slot][bucket] / seconds[slot];
  const most = Math.max(...counts.flatMap((row, slot) => row.map((_, bucket) => rate(slot, bucket))));
  for (let slot = 0; slot < counts.length; slot++) {
    for (let bucket = 0; bucket < rows; bucket++) {
      if (!counts[slot][bucket]) continue;
      // The root: what is rare can be seen beside what is frequent.
      const shade = 0.12 + 0.88 * Math.sqrt(rate(slot, bucket) / most);
      svg.append(drawn("rect", {x: start[slot] - begin, y: rows - 1 - bucket, width: seconds[slot], height: 1, "fill-opacity": shade.toFixed(3)}));
    }
  }
  const row = (value) => {
    const above = bounds.findIndex((bound) => bound === null || bound >= value);
    const [low, high] = [bounds[above - 1] ?? 0, bounds[above] ?? bounds[above - 1]];
    return rows - (above - 1 + (high > low ? (value - low) / (high - low) : 0));
  };
  const x = (slot) => start[slot] - begin + seconds[slot] / 2;
  if (tail.length > 1) svg.append(drawn("path", {d: runs(tail.map((value) => (value === null ? null : row(value))), x, (value) => value)}));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const time = begin + ((event.clientX - box.left) / box.width) * length;
    const slot = start.findLastIndex((each) => each <= time);
    const bucket = rows - 1 - Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (counts[slot]?.[bucket] !== undefined) pointed(slot, bucket);
  });
  const axis = element("div", {class: "axis y", "aria-hidden": "true"});
  const step = Math.ceil(rows / 7);
  for (let place = 0; place <= rows; place += step) {
    if (bounds[place] === null) continue;
    const mark = element("span", {}, written(bounds[place]));
    mark.style.top = `${(1 - place / rows) * 100}%`;
    axis.append(mark);
  }
  const clock = (time) => new Date(time * 1000).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  const times = element("div", {class: "axis x", "aria-hidden": "true"}, element("span", {}, clock(begin)), element("span", {}, clock(begin + length)));
  return [axis, svg, times];
}

/** A rate in its interval, on a line from `from` to 1, with its floor; each from 0 to 1. */
export function interval({rate, low, high, floor}, from, label) {
  const x = (share) => (4 + (Math.max(share - from, 0) / (1 - from)) * 112).toFixed(2);
  const line = (kind, left, right, y1 = 6, y2 = 6) => drawn("line", {class: kind, x1: x(left), x2: x(right), y1, y2});
  const below = floor !== undefined && high < floor;
  return drawn(
    "svg",
    {class: below ? "interval below" : "interval", viewBox: "0 0 120 12", role: "img", "aria-label": label},
    line("all", from, 1), line("range", low, high), drawn("circle", {cx: x(rate), cy: 6, r: 3.5}),
    floor === undefined ? null : line("floor", floor, floor, 0, 12),
  );
}
