// From measured values to places on a chart. Pure functions.

/** A round number at or above `most`: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten. */
export function ceiling(most) {
  if (!(most > 0) || !Number.isFinite(most)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((times) => times * power).find((value) => value >= most * 0.9999);
}

/** A function from [low, high] to [start, end]; of a range without extent, `start`. */
export function linear(low, high, start, end) {
  return (value) => (high > low ? start + ((value - low) / (high - low)) * (end - start) : start);
}

/** About `count` round times (Unix seconds) within [from, to]. */
export function times(from, to, count) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];
  const step = steps.find((each) => (to - from) / each <= count) ?? Math.ceil((to - from) / count / 86400) * 86400;
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}

/** Points without a value interrupt the line: the drawing commands of an SVG path. `stepped` holds a value until the next. */
export function line(points, x, y, stepped) {
  let drawing = false;
  let path = '';
  for (const [at, value] of points) {
    if (value === null || value === undefined) {
      drawing = false;
      continue;
    }
    const [across, up] = [x(at).toFixed(1), y(value).toFixed(1)];
    if (!drawing) path += `M${across} ${up}`;
    else path += stepped ? `H${across}V${up}` : `L${across} ${up}`;
    drawing = true;
  }
  return path;
}

/** The point that counts at `at`: the last one at or before it that is not older than `slack` seconds; null when there is none. */
export function pointAt(points, at, slack = Infinity) {
  const found = points.findLast(([when]) => when <= at + 1e-6);
  return found && at - found[0] <= slack ? found : null;
}
