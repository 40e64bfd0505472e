// How numbers, times and names are written. Times come in as Unix seconds.

const CLOCK = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat([], { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const WHOLE = new Intl.DateTimeFormat([], { dateStyle: 'full', timeStyle: 'long' });

export const NONE = '–';

export function now() {
  return Date.now() / 1000;
}

/** 0.4 s, 12 s, 3 min 05 s, 2 h 07 min, 3 d 4 h */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** From `start` to `end`, or to now while there is no end. */
export function lasted(start, end) {
  return start ? duration((end ?? now()) - start) : NONE;
}

export function clock(at) {
  return at ? CLOCK.format(at * 1000) : NONE;
}

/** The time alone for the last 20 hours, else the day as well. */
export function moment(at) {
  if (!at) return NONE;
  return Math.abs(now() - at) < 20 * 3600 ? CLOCK.format(at * 1000) : DAY.format(at * 1000);
}

export function wholly(at) {
  return at ? WHOLE.format(at * 1000) : '';
}

export function ago(at) {
  const seconds = now() - at;
  if (!at) return NONE;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** Three digits that say something: 1234, 12.3, 0.125 */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

export function percent(share) {
  return share === null || share === undefined ? NONE : `${number(share * 100)} %`;
}

export function milliseconds(seconds) {
  return seconds === null || seconds === undefined ? NONE : `${number(seconds * 1000)} ms`;
}

export function short(sha) {
  return (sha || '').slice(0, 10);
}

export function plural(count, word, many = `${word}s`) {
  return `${count} ${count === 1 ? word : many}`;
}

/** A workflow id as part of a path: its slashes stay. */
export function path(id) {
  return id.split('/').map(encodeURIComponent).join('/');
}

export function runUrl(id) {
  return `/runs/${path(id)}`;
}

/** The workflow in Temporal's UI. */
export function temporalUrl(id, execution) {
  const base = `${document.body.dataset.workflows}/${encodeURIComponent(id)}`;
  return execution ? `${base}/${encodeURIComponent(execution)}/history` : base;
}

/** `address` when it may be a link, else null: what is no web address stays text. */
export function webAddress(address) {
  try {
    const url = new URL(address);
    return ['http:', 'https:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
