// A status as people see it: a shape, a word and a colour, so that none of the three is needed alone.

import { el, svg } from './dom.js';

const SHAPES = {
  check: [['circle', { cx: 8, cy: 8, r: 7, class: 'solid' }], ['path', { d: 'M4.8 8.3 7.1 10.6 11.3 5.9', class: 'cut' }]],
  cross: [['circle', { cx: 8, cy: 8, r: 7, class: 'solid' }], ['path', { d: 'M5.4 5.4 10.6 10.6M10.6 5.4 5.4 10.6', class: 'cut' }]],
  alert: [['path', { d: 'M8 1.2 15.4 14.4H.6Z', class: 'solid' }], ['path', { d: 'M8 6v4M8 12.2v.1', class: 'cut' }]],
  pause: [['circle', { cx: 8, cy: 8, r: 7, class: 'solid' }], ['path', { d: 'M6.2 5.4v5.2M9.8 5.4v5.2', class: 'cut' }]],
  turning: [['circle', { cx: 8, cy: 8, r: 6, class: 'track' }], ['path', { d: 'M8 2a6 6 0 0 1 6 6', class: 'line turn' }]],
  back: [['path', { d: 'M4 4v4h4M4.4 8A4.6 4.6 0 1 1 6 11.6', class: 'line' }]],
  stop: [['rect', { x: 2.5, y: 2.5, width: 11, height: 11, rx: 2, class: 'solid' }]],
  skip: [['path', { d: 'M3 4.5 6.5 8 3 11.5M8.5 4.5 12 8 8.5 11.5', class: 'line' }]],
  again: [['circle', { cx: 8, cy: 8, r: 6.2, class: 'line' }], ['path', { d: 'M4.8 8.3 7.1 10.6 11.3 5.9', class: 'line' }]],
  empty: [['circle', { cx: 8, cy: 8, r: 6, class: 'line' }]],
};

const LOOKS = {
  pending: ['idle', 'empty'],
  waiting: ['wait', 'pause'],
  running: ['busy', 'turning'],
  passed: ['good', 'check'],
  reused: ['good', 'again'],
  failed: ['bad', 'cross'],
  held: ['wait', 'alert'],
  skipped: ['idle', 'skip'],
  cancelled: ['idle', 'stop'],
  progressing: ['busy', 'turning'],
  paused: ['wait', 'pause'],
  'rolling-back': ['bad', 'back'],
  promoted: ['good', 'check'],
  'rolled-back': ['bad', 'back'],
  aborted: ['idle', 'stop'],
  superseded: ['idle', 'skip'],
  unchanged: ['idle', 'again'],
  pass: ['good', 'check'],
  fail: ['bad', 'cross'],
  inconclusive: ['wait', 'alert'],
  error: ['bad', 'alert'],
  refused: ['bad', 'cross'],
  critical: ['bad', 'alert'],
  high: ['bad', 'alert'],
  medium: ['wait', 'alert'],
  low: ['idle', 'empty'],
  info: ['idle', 'empty'],
  frozen: ['wait', 'pause'],
};

const WORDS = { 'rolling-back': 'rolling back', 'rolled-back': 'rolled back' };
/** Of findings, the gravest first. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const FINAL = ['passed', 'reused', 'skipped', 'failed', 'cancelled'];

export function isFinal(status) {
  return FINAL.includes(status);
}

export function tone(status) {
  return LOOKS[status]?.[0] || 'idle';
}

function icon(status) {
  const shapes = SHAPES[LOOKS[status]?.[1] || 'empty'];
  return svg('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' }, shapes.map(([tag, how]) => svg(tag, how)));
}

/** Fills `node` with the status' shape and word, when it is another than before. */
export function show(node, status, word = WORDS[status] || status) {
  if (node.dataset.status === status && node.dataset.word === word) return;
  Object.assign(node.dataset, { status, word, tone: tone(status) });
  node.replaceChildren(icon(status), el('span', {}, word));
}

export function badge(status, word) {
  const node = el('span', { class: 'status' });
  show(node, status, word);
  return node;
}
