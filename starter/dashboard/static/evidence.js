// What the run has left: decisions of gates, tests, findings, and who did what. Asked for again when a stage or step has moved.

import { get } from './api.js';
import { $, el, fill, table } from './dom.js';
import { drawFindings } from './findings.js';
import { clock, moment, plural, wholly } from './format.js';
import { badge } from './status.js';
import { drawTests } from './tests.js';

const PATIENCE = 400;
const RETRY = 3000;

export class Evidence {
  /** `url` is the run's in the API. */
  constructor(url) {
    Object.assign(this, { url, moved: '', timer: 0 });
    this.parts = { gates: drawGates, tests: drawTests, findings: drawFindings, audit: drawAudit };
  }

  follow(run) {
    const moved = JSON.stringify([run.execution, run.status, run.stages.map((stage) => [
      stage.status, stage.approvals, stage.waiting_for, stage.steps.map((step) => [step.status, step.attempt])])]);
    if (moved === this.moved) return;
    this.moved = moved;
    // What people did is written down a moment after the run has moved.
    this.more = 1;
    this.soon(PATIENCE);
  }

  soon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), wait);
  }

  async load() {
    const good = await Promise.all(Object.entries(this.parts).map(([name, draw]) => this.part(name, draw)));
    if (this.more > 0 || !good.every(Boolean)) this.soon(RETRY);
    this.more -= 1;
  }

  async part(name, draw) {
    const node = $(`#${name}`);
    try {
      const found = await get(`${this.url}/${name}`);
      fill(node, found, () => draw(found));
      return true;
    } catch (error) {
      fill(node, error.words, () => el('p', { class: 'muted' }, error.status === 404 ? 'Nothing is recorded yet.' : error.words));
      return error.status === 404;
    }
  }
}

function drawGates(decisions) {
  if (!decisions.length) return el('p', { class: 'muted' }, 'No gate has decided yet.');
  return el('ul', { class: 'plain gates' }, decisions.map(gate));
}

function gate(decision) {
  const passed = decision.action === 'gate.passed';
  const { stage, ...lines } = decision.evidence;
  const evidence = Object.keys(lines).sort().map((key) => lines[key]);
  return el('li', { 'data-gate': stage, 'data-status': passed ? 'passed' : 'refused' },
    el('div', { class: 'row' }, badge(passed ? 'passed' : 'refused'), el('strong', {}, stage),
      el('time', { class: 'muted', title: wholly(decision.at) }, moment(decision.at))),
    decision.reason && el('p', { class: 'words' }, decision.reason),
    el('ul', { class: 'evidence mono' }, evidence.map((line) => el('li', { class: line.endsWith(': refused') ? 'bad' : null }, line))));
}

function why({ action, reason, evidence }) {
  const known = action.startsWith('gate.') ? { stage: evidence.stage } : evidence;
  const facts = Object.entries(known).filter(([, value]) => value && value !== 'None').map(([name, value]) => `${name} ${value}`);
  return el('span', {}, reason, facts.length > 0 && el('span', { class: 'sub' }, facts.join(' · ')));
}

function drawAudit(entries) {
  if (!entries.length) return el('p', { class: 'muted' }, 'Nothing is recorded yet.');
  const columns = [
    { title: 'Time', cell: (entry) => el('time', { title: wholly(entry.at) }, clock(entry.at)) },
    { title: 'What', class: 'mono', cell: (entry) => entry.action },
    { title: 'Who', cell: (entry) => entry.actor },
    { title: 'Why', class: 'grow', cell: why },
  ];
  return el('details', { open: true }, el('summary', {}, `${plural(entries.length, 'entry', 'entries')}, newest first`),
    table('Audit trail of the run', columns, [...entries].reverse()));
}
