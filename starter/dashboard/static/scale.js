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

/** The drawing commands of an SVG path. Points without a value interrupt it. */
export function line(points, x, y) {
  let drawing = false;
  let path = '';
  for (const [at, value] of points) {
    if (value === null || value === undefined) {
      drawing = false;
      continue;
    }
    const [across, up] = [x(at).toFixed(1), y(value).toFixed(1)];
    path += `${drawing ? 'L' : 'M'}${across} ${up}`;
    drawing = true;
  }
  return path;
}

/** Values that hold for a while, as points to draw: a line at each value's height, interrupted where nothing was measured.
 * `spans` are [from, to, value]. */
export function steps(spans) {
  return spans.flatMap(([from, to, value], place) => {
    const gap = place > 0 && from - spans[place - 1][1] > 0.001;
    return [...(gap ? [[from, null]] : []), [from, value], [to, value]];
  });
}

/** The value that holds at `at`; undefined when there is none. */
export function valueAt(spans, at) {
  return spans.findLast(([from, to]) => from <= at && at <= to)?.[2];
}
