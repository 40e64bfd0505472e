// The log of one step as it is written: bounded, plain text, following its end until somebody scrolls up.

import { whyNot } from './api.js';
import { $, el, shown, text } from './dom.js';
import { plain } from './ansi.js';
import { clock } from './format.js';
import { Stream } from './stream.js';

const MOST = 4000;
const LONGEST = 20_000;
const NEAR = 24;

export class LogView {
  /** `url` is the run's in the API. */
  constructor(url) {
    Object.assign(this, { url, box: $('#log'), follow: $('#follow'), stage: '', step: -1 });
    this.follow.addEventListener('change', () => this.toEnd());
    this.box.addEventListener('scroll', () => this.scrolled());
  }

  open(stage, step) {
    if (this.stage === stage && this.step === step) return;
    Object.assign(this, { stage, step });
    text($('#log-of'), `${stage} / ${step}`);
    this.begin();
  }

  begin() {
    this.stream?.close();
    this.clear();
    this.ended = '';
    text($('#log-state'), 'live');
    const address = `${this.url}/logs/${encodeURIComponent(this.stage)}/${this.step}`;
    this.stream = new Stream('log', {
      address: () => `${address}?offset=${this.offset}`,
      events: { lines: (lines, id) => this.take(lines, id), reset: () => this.clear() },
      ended: ({ status }) => this.end(status),
      why: () => whyNot(this.url),
      refused: (error) => text($('#log-state'), error.message),
    });
  }

  /** A step that ended and goes on again has a log again. */
  update(run) {
    const steps = run.stages.find((stage) => stage.name === this.stage)?.steps || [];
    const step = steps.find((each) => each.index === this.step);
    if (step) text($('#log-of'), `${this.stage} / ${step.title}`);
    if (this.ended && step?.status === 'running') this.begin();
  }

  clear() {
    Object.assign(this, { pending: [], offset: 0, dropped: 0, last: null });
    this.box.replaceChildren();
    shown($('#log-dropped'), '');
  }

  take(lines, id) {
    this.offset = Number(id) || this.offset;
    this.pending.push(...lines);
    if (this.drawing) return;
    this.drawing = setTimeout(() => {
      this.drawing = 0;
      this.draw();
    }, 50);
  }

  draw() {
    const lines = this.pending.splice(0);
    const skipped = Math.max(0, lines.length - MOST);
    if (skipped) {
      this.dropped += this.box.childElementCount;
      this.box.replaceChildren();
      this.last = null;
    }
    const fresh = document.createDocumentFragment();
    for (const line of lines.slice(skipped)) this.add(line, fresh);
    this.box.append(fresh);
    this.bound(skipped);
    this.toEnd();
  }

  add(line, fresh) {
    if (line.continues && this.last) {
      this.last.raw = (this.last.raw + line.text).slice(0, LONGEST);
      this.last.node.textContent = plain(this.last.raw);
      return;
    }
    const raw = line.text.slice(0, LONGEST);
    const node = el('span', {}, plain(raw));
    this.last = { raw, node };
    fresh.append(el('div', {}, el('time', { title: line.time }, line.time ? clock(Date.parse(line.time) / 1000) : ''), node));
  }

  bound(skipped) {
    this.dropped += skipped;
    while (this.box.childElementCount > MOST) {
      this.box.firstElementChild.remove();
      this.dropped += 1;
    }
    const rest = `The first ${this.dropped} lines are not shown; 'switchyard logs' has all of them.`;
    shown($('#log-dropped'), this.dropped ? rest : '');
  }

  end(status) {
    this.ended = status;
    clearTimeout(this.drawing);
    this.drawing = 0;
    this.draw();
    text($('#log-state'), this.box.childElementCount ? `ended: ${status}` : `ended: ${status}, without output`);
  }

  toEnd() {
    if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
  }

  scrolled() {
    const atEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
    this.follow.checked = atEnd;
  }
}
