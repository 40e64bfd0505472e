// The charts of a rollout, all over the same time: weights, and what the proxy counted for stable and candidate.

import { Chart } from './chart.js';
import { el } from './dom.js';
import { milliseconds, now, number, percent } from './format.js';
import { tone } from './status.js';

const TRACKS = ['stable', 'candidate'];
const METRICS = [
  ['Requests', 'rate', (value) => `${number(value)} /s`],
  ['Errors', 'error_rate', percent],
  ['Latency, median', 'p50', milliseconds],
  ['Latency, 95th percentile', 'p95', milliseconds],
];

export class Measurements {
  constructor() {
    this.series = {};
    this.weights = new Chart('Traffic to the candidate', (value) => `${number(value)} %`, 100);
    this.charts = METRICS.map(([title, field, format]) => [field, new Chart(title, format)]);
    this.node = el('div', { class: 'charts' }, this.weights.node, this.charts.map(([, chart]) => chart.node));
  }

  measured(series) {
    this.series = series;
  }

  draw(view) {
    this.node.hidden = !view.weights.length;
    const [from, to] = this.window(view);
    const marks = view.verdicts.map(({ at, verdict }) => ({ at, tone: tone(verdict.outcome), words: `${verdict.outcome}: ${verdict.reason}` }));
    const shared = { from, to, marks: marks.filter(({ at }) => at >= from && at <= to) };
    this.weights.show({ ...shared, changes: [], series: [{ name: 'candidate', track: 'candidate', spans: held(view, from, to) }] });
    const changes = view.weights.map((point) => point.at).filter((at) => at > from && at <= to);
    for (const [field, chart] of this.charts) {
      const tracks = TRACKS.filter((track) => this.series[track]?.length);
      chart.node.hidden = !tracks.length;
      chart.show({ ...shared, changes, series: tracks.map((track) => line(this.series[track], track, field)) });
    }
  }

  window(view) {
    const points = TRACKS.flatMap((track) => this.series[track] || []);
    const start = Math.min(...points.map((point) => point.since), ...view.weights.map((point) => point.at));
    const last = Math.max(...points.map((point) => point.until), ...view.weights.map((point) => point.at), ...view.verdicts.map((each) => each.at));
    // A margin behind the end, so that what holds from then on can be seen.
    const end = view.status === 'done' ? last + (last - start) / 20 : Math.max(last, Math.floor(now()));
    return Number.isFinite(start) ? [start, Math.max(end, start + 10)] : [now() - 10, now()];
  }
}

function line(points, track, field) {
  return { name: track, track, spans: points.map((point) => [point.since, point.until, point[field]]) };
}

/** Nothing before the first weight; each holds until the next, the last one to the chart's end. */
function held({ weights }, from, to) {
  const known = [{ at: from, weight: 0 }, ...weights];
  return known.map(({ at, weight }, place) => [at, known[place + 1]?.at ?? to, weight]).filter(([start, end]) => end > start);
}
