// The rollouts of a run: traffic split, what was measured of both releases, the analyses' verdicts, and what is still to come.

import { get } from './api.js';
import { $, el, facts, fill, keyed, outward, shown, text } from './dom.js';
import { now, path, plural, temporalUrl, webAddress } from './format.js';
import { Measurements } from './measurements.js';
import { Poll } from './poll.js';
import { show } from './status.js';
import { drawVerdicts } from './verdicts.js';

const SECONDS = 2;
const AFTERWARDS = 40;

export class Rollouts {
  constructor(node) {
    this.node = node;
    this.panels = new Map();
  }

  draw(run, views) {
    this.node.hidden = !views.length;
    const newest = [...views].sort((one, other) => started(other) - started(one));
    keyed(this.node, newest, (view) => view.workflow_id, (view) => this.create(view), (_, view) => this.panels.get(view.workflow_id).draw(view));
    newest.forEach((view, place) => this.panels.get(view.workflow_id).fold(place > 0 && view.status === 'done'));
    for (const [id, panel] of this.panels) {
      if (panel.node.isConnected) continue;
      panel.close();
      this.panels.delete(id);
    }
  }

  create(view) {
    const panel = new Panel(view);
    this.panels.set(view.workflow_id, panel);
    return panel.node;
  }
}

/** When it first moved; what has not yet is the newest. */
function started(view) {
  return view.weights[0]?.at ?? Number.MAX_SAFE_INTEGER;
}

class Panel {
  constructor(view) {
    this.measurements = new Measurements();
    this.verdicts = el('div', { class: 'verdicts' });
    this.plan = el('details', { class: 'plan' }, el('summary'), el('ol'));
    this.details = el('details', { open: true }, el('summary', {}, 'Course and measurements'),
      el('dl', { class: 'facts' }), this.plan, this.measurements.node, this.verdicts);
    const title = `rollout-${view.workflow_id.replace(/[^a-z0-9]+/gi, '-')}`;
    this.node = el('section', { class: 'rollout', 'data-rollout': view.workflow_id, 'aria-labelledby': title },
      el('h2', { id: title }, el('span', { class: 'status' }), ' ', el('span', { class: 'name' })),
      el('p', { class: 'words' }),
      el('div', { class: 'split' }),
      this.details);
    this.view = view;
    this.poll = new Poll(view.workflow_id, SECONDS, (signal) => this.load(signal));
  }

  draw(view) {
    const woken = this.view.status === 'done' && view.status !== 'done';
    this.view = view;
    const { candidate, strategy, kind } = view;
    this.node.dataset.status = view.result || view.status;
    show($('.status', this.node), view.result || view.status);
    text($('.name', this.node), `${kind === 'rollback' ? 'Rollback' : capital(strategy)} to ${candidate.place.environment} / ${candidate.place.service}`);
    shown($('.words', this.node), doing(view));
    fill($('.split', this.node), [view.weight, candidate, view.stable_id, view.result], () => split(view));
    fill($('.facts', this.node), [view.address, view.preview_address, view.approvals, view.workflow_id], () => facts(known(view)));
    this.drawPlan(view.plan);
    fill(this.verdicts, view.verdicts, () => drawVerdicts(view.verdicts));
    this.measurements.draw(view);
    if (woken) this.poll.now();
  }

  drawPlan(moves) {
    this.plan.hidden = !moves.length;
    text($('summary', this.plan), moves.length ? `Next: ${moves[0]} (${plural(moves.length, 'move')} still to come)` : '');
    fill($('ol', this.plan), moves, () => moves.map((move) => el('li', {}, move)));
  }

  /** What is over makes room for what came later; people may open it again. */
  fold(folded) {
    if (folded === this.folded) return;
    this.folded = folded;
    this.details.open = !folded;
  }

  async load(signal) {
    const report = await get(`/api/rollouts/${path(this.view.workflow_id)}`, signal);
    this.measurements.measured(report.series);
    this.measurements.draw(this.view);
    const last = Math.max(0, ...this.view.weights.map((point) => point.at), ...this.view.verdicts.map((point) => point.at));
    return report.view.status !== 'done' || now() - last < AFTERWARDS;
  }

  close() {
    this.poll.close();
  }
}

function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function doing(view) {
  if (view.status === 'done') return view.reason;
  const waits = view.waiting_for && `Waits for ${view.waiting_for}`;
  return [waits || (view.move && capital(view.move)), view.reason].filter(Boolean).join(' — ');
}

function split(view) {
  const name = view.candidate.version || view.candidate.id;
  return [
    el('span', {}, el('strong', { class: 'mono' }, name), ' candidate ', el('strong', { class: 'num weight' }, `${view.weight} %`)),
    el('progress', { max: 100, value: view.weight, 'aria-label': `Traffic to the candidate ${name}` }),
    view.stable_id && el('span', { class: 'muted' }, el('span', { class: 'mono' }, view.stable_id), ' stable ', el('span', { class: 'num' }, `${100 - view.weight} %`)),
  ].filter(Boolean);
}

function known(view) {
  return [
    ['Address', link(view.address)],
    ['Preview', link(view.preview_address)],
    ['Approved by', view.approvals.join(', ')],
    ['Workflow', outward(temporalUrl(view.workflow_id), 'in Temporal ↗')],
  ];
}

function link(address) {
  const url = webAddress(address);
  return url ? outward(url, address) : address;
}
