// The banner over a page whose server, or Temporal behind it, does not answer; each source of data reports for itself.

import { $, shown } from './dom.js';

const troubled = new Map();
const retries = new Set();
const PATIENCE = 600;

/** `source` cannot be had at the moment. The banner waits a little: what is back at once is no news. */
export function lost(source, error) {
  clearTimeout(troubled.get(source)?.timer);
  const seen = troubled.get(source)?.seen || !$('#offline').hidden;
  troubled.set(source, { error, seen, timer: setTimeout(() => appear(source), seen ? 0 : PATIENCE) });
}

export function found(source) {
  clearTimeout(troubled.get(source)?.timer);
  if (troubled.delete(source)) draw();
}

/** `again` is called when people ask to try now, and when the machine is back on its network; returns how to stop that. */
export function onRetry(again) {
  retries.add(again);
  return () => retries.delete(again);
}

function appear(source) {
  const trouble = troubled.get(source);
  if (trouble) trouble.seen = true;
  draw();
}

function draw() {
  const [trouble] = [...troubled.values()].filter((each) => each.seen);
  shown($('#offline-what'), trouble ? `${trouble.error.message}.` : '');
  shown($('#offline-remedy'), trouble?.error.remedy ? `${trouble.error.remedy}.` : '');
  $('#offline').hidden = !trouble;
  document.body.classList.toggle('stale', Boolean(trouble));
}

function retry() {
  for (const again of retries) again();
}

$('#offline-retry').addEventListener('click', retry);
window.addEventListener('online', retry);
