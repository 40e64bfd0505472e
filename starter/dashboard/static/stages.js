// The stages with their steps. A step is a button that shows its log.

import { $, el, fill, keyed, shown, text } from './dom.js';
import { NONE, duration, lasted, moment, plural } from './format.js';
import { SEVERITIES, badge, isFinal, show } from './status.js';

export class Stages {
  /** `pick(stage, step)` when a step is chosen: by people, by the address, or else because it tells most at the moment. */
  constructor(pick) {
    this.pick = pick;
    this.list = $('#stages');
    this.chosen = fromAddress();
    this.byPeople = Boolean(this.chosen);
    this.list.addEventListener('click', (event) => {
      const button = event.target.closest('button[data-step]');
      if (!button) return;
      this.choose(button.dataset.stage, Number(button.dataset.step), true);
      // On a narrow screen the log is below all the stages.
      if (matchMedia('(max-width: 900px)').matches) $('#log-title').scrollIntoView({ block: 'start' });
    });
  }

  draw(run) {
    keyed(this.list, run.stages, (stage) => stage.name, create, update);
    const none = isFinal(run.status) ? 'The run has no stages to show.' : 'The run is being prepared.';
    shown($('#stages-state'), run.stages.length ? '' : none);
    this.tick(run);
    const best = this.byPeople && has(run, this.chosen) ? this.chosen : telling(run);
    if (best) this.choose(best.stage, best.step, this.byPeople && best === this.chosen);
  }

  choose(stage, step, byPeople) {
    this.chosen = { stage, step };
    this.byPeople = byPeople;
    if (byPeople) history.replaceState(null, '', `#log=${encodeURIComponent(stage)}/${step}`);
    for (const button of this.list.querySelectorAll('button[data-step]')) {
      button.setAttribute('aria-pressed', String(button.dataset.stage === stage && button.dataset.step === String(step)));
    }
    this.pick(stage, step);
  }

  /** Times of what still goes on. */
  tick(run) {
    for (const stage of run.stages) {
      const node = this.list.querySelector(`[data-stage="${CSS.escape(stage.name)}"] .took`);
      const end = isFinal(stage.status) || stage.status === 'held' ? stage.finished_at : null;
      if (node) text(node, stage.started_at ? lasted(stage.started_at, end) : '');
    }
  }
}

function fromAddress() {
  const found = /^#log=(.+)\/(\d+)$/.exec(location.hash);
  try {
    return found ? { stage: decodeURIComponent(found[1]), step: Number(found[2]) } : null;
  } catch {
    return null;
  }
}

function has(run, chosen) {
  return run.stages.some((stage) => stage.name === chosen.stage && stage.steps.some((step) => step.index === chosen.step));
}

/** The step that runs; else the first that failed; else the last one. */
function telling(run) {
  const all = run.stages.flatMap((stage) => stage.steps.map((step) => ({ stage: stage.name, step: step.index, status: step.status })));
  const like = (status) => all.find((each) => each.status === status);
  return like('running') || like('failed') || all.filter((each) => each.status !== 'pending').at(-1) || null;
}

function create(stage) {
  return el('li', { 'data-stage': stage.name },
    el('div', { class: 'head' }, el('span', { class: 'status' }), el('strong', {}, stage.name), el('span', { class: 'took num' })),
    el('p', { class: 'sub why' }),
    el('p', { class: 'sub known' }),
    el('ol', { class: 'steps plain' }));
}

function update(node, stage) {
  node.dataset.status = stage.status;
  show($('.status', node), stage.status);
  $('.took', node).title = [moment(stage.started_at), moment(stage.finished_at)].filter((each) => each !== NONE).join(' to ');
  shown($('.why', node), stage.waiting_for ? `waits for ${stage.waiting_for}` : stage.reason);
  shown($('.known', node), known(stage).join(' · '));
  keyed($('.steps', node), stage.steps, (step) => String(step.index), (step) => stepNode(stage, step), stepUpdate);
}

function known(stage) {
  const { needs, approvals, environment, coverage, tests, findings } = stage;
  return [
    needs.length && `after ${needs.join(', ')}`,
    environment && `in ${environment}`,
    stage.started_at && `since ${moment(stage.started_at)}`,
    approvals.length && `approved by ${approvals.join(', ')}`,
    tests && tests.total && `${tests.passed}/${tests.total} tests passed`,
    coverage !== null && `coverage ${coverage.toFixed(1)} %`,
    findings && counted(findings),
  ].filter(Boolean);
}

function counted(findings) {
  return SEVERITIES.filter((level) => findings[level]).map((level) => `${findings[level]} ${level}`).join(', ');
}

function stepNode(stage, step) {
  const button = el('button', { type: 'button', 'data-stage': stage.name, 'data-step': step.index, 'aria-pressed': 'false' });
  return el('li', {}, button);
}

function stepUpdate(node, step) {
  const button = node.firstElementChild;
  button.dataset.status = step.status;
  fill(button, step, () => [
    badge(step.status),
    el('span', { class: 'name' }, step.title),
    el('span', { class: 'num muted' }, step.seconds === null ? '' : duration(step.seconds)),
    ...(notes(step).length ? [el('span', { class: 'sub' }, notes(step).join(' · '))] : []),
  ]);
}

function notes(step) {
  return [
    step.attempt > 1 && `attempt ${step.attempt}`,
    step.exit_code && `exit code ${step.exit_code}`,
    step.message,
    step.tests && step.tests.flaky && plural(step.tests.flaky, 'flaky test'),
  ].filter(Boolean);
}
