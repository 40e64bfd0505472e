// Small line charts over time: title, legend that tells values at the pointer or now, and the same numbers as a table.

import { el, svg, table, text } from './dom.js';
import { clock } from './format.js';
import { ceiling, line, linear, steps, times, valueAt } from './scale.js';

const HEIGHT = 150;
const LEFT = 52;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 20;
const PER_TICK = 90;
const HALF = 26; // of a time's width, so that none leaves the chart

export class Chart {
  /** `format(value)` writes a value; `top`: the scale's end, or null to follow what was measured. */
  constructor(title, format, top = null) {
    Object.assign(this, { title, format, top, pointer: null, data: null });
    this.plot = el('div', { class: 'plot', onpointermove: (event) => this.point(event), onpointerleave: () => this.leave() });
    this.legend = el('ul', { class: 'legend plain' });
    this.when = el('span', { class: 'muted' });
    this.rows = el('div');
    this.details = el('details', { ontoggle: () => this.tabulate() }, el('summary', {}, 'As a table'), this.rows);
    this.node = el('figure', { class: 'measured' },
      el('figcaption', {}, el('strong', {}, title), ' ', this.when), this.plot, this.legend, this.details);
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  /** `data`: {from, to, series: [{name, track, spans: [[from, to, value]]}], marks: [{at, tone, words}], changes: [at]}. */
  show(data) {
    const key = JSON.stringify(data);
    if (key === this.key) return;
    Object.assign(this, { key, data });
    this.draw();
    this.tabulate();
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!this.data || !width) return;
    const { from, to, series } = this.data;
    const most = Math.max(0, ...series.flatMap((each) => each.spans.map(([, , value]) => value ?? 0)));
    const high = this.top ?? ceiling(most);
    this.x = linear(from, to, LEFT, width - RIGHT);
    this.y = linear(0, high, HEIGHT - BOTTOM, TOP);
    const size = { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT };
    this.cursor = svg('path', { class: 'cursor' });
    this.plot.replaceChildren(svg('svg', { class: 'chart', role: 'img', 'aria-label': this.words(), ...size },
      this.grid(width, high), this.changes(), series.map((each) => this.one(each)), this.marks(), this.cursor));
    this.tell();
  }

  words() {
    const told = this.data.series.map((each) => `${each.name} ${this.format(last(each.spans))}`);
    return `${this.title} over time; at the end: ${told.join(', ') || 'nothing measured'}`;
  }

  grid(width, high) {
    const { from, to } = this.data;
    const levels = [0, high / 2, high].map((value) => [
      svg('path', { class: value ? 'grid' : 'axis', d: `M${LEFT} ${this.y(value)}H${width - RIGHT}` }),
      svg('text', { x: LEFT - 6, y: this.y(value) + 4, class: 'end' }, this.format(value)),
    ]);
    const ticks = times(from, to, Math.max(1, Math.floor((width - LEFT) / PER_TICK)));
    const hours = ticks.map((at) => svg('text', { x: Math.min(this.x(at), width - HALF), y: HEIGHT - 4, class: 'middle' }, clock(at)));
    return [...levels.flat(), ...hours];
  }

  changes() {
    return this.data.changes.map((at) => svg('path', { class: 'change', d: `M${this.x(at)} ${TOP}V${HEIGHT - BOTTOM}` }));
  }

  one({ track, spans }) {
    return svg('path', { class: `series ${track}`, d: line(steps(spans), this.x, this.y) });
  }

  marks() {
    return this.data.marks.map(({ at, tone, words }) => svg('circle', { class: 'mark', 'data-tone': tone, cx: this.x(at), cy: 5, r: 3.5 },
      svg('title', {}, `${clock(at)} ${words}`)));
  }

  point(event) {
    if (!this.x) return;
    const { from, to } = this.data;
    const across = event.clientX - this.plot.getBoundingClientRect().left;
    const at = linear(LEFT, this.plot.clientWidth - RIGHT, from, to)(across);
    this.pointer = Math.min(to, Math.max(from, at));
    this.tell();
  }

  leave() {
    this.pointer = null;
    this.tell();
  }

  tell() {
    const at = this.pointer ?? this.data.to;
    text(this.when, this.pointer === null ? '' : clock(at));
    this.cursor.setAttribute('d', this.pointer === null ? '' : `M${this.x(at)} ${TOP}V${HEIGHT - BOTTOM}`);
    this.legend.replaceChildren(...this.data.series.map((each) => this.entry(each, at)));
  }

  entry({ name, track, spans }, at) {
    const shown = this.pointer === null ? last(spans) : valueAt(spans, at);
    const swatch = svg('svg', { width: 18, height: 8, 'aria-hidden': 'true' }, svg('path', { class: `series ${track}`, d: 'M0 4H18' }));
    return el('li', {}, swatch, `${name} `, el('strong', {}, this.format(shown)));
  }

  /** The table is made only when somebody looks at it. */
  tabulate() {
    if (!this.details.open || !this.data) return;
    const { series } = this.data;
    const all = [...new Set(series.flatMap((each) => each.spans.map(([from]) => from)))].sort((one, other) => other - one);
    const columns = [
      { title: 'Time', cell: (at) => clock(at) },
      ...series.map(({ name, spans }) => {
        const known = new Map(spans.map(([from, , value]) => [from, value]));
        return { title: name, class: 'num', cell: (at) => this.format(known.get(at)) };
      }),
    ];
    this.rows.replaceChildren(table(`${this.title}, newest first`, columns, all));
  }
}

function last(spans) {
  return spans.findLast(([, , value]) => value !== null)?.[2];
}
