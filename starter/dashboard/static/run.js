// The page of one run: its stream of changes feeds the head, the stages, the rollouts and the buttons.

import { drawActions } from './actions.js';
import { whyNot } from './api.js';
import { $, el, facts, fill, outward, shown, text } from './dom.js';
import { Evidence } from './evidence.js';
import { NONE, lasted, moment, path, runUrl, short, temporalUrl, wholly } from './format.js';
import { LogView } from './log.js';
import { Rollouts } from './rollout.js';
import { Stages } from './stages.js';
import { isFinal, show } from './status.js';
import { Stream } from './stream.js';

const ID = document.body.dataset.run;
const URL = `/api/runs/${path(ID)}`;
const LOOK_AGAIN = 10_000;
const seen = { run: null, rollouts: new Map() };
const log = new LogView(URL);
const stages = new Stages((stage, step) => log.open(stage, step));
const rollouts = new Rollouts($('#rollout'));
const evidence = new Evidence(URL);
let stream = null;
let later = 0;

function follow() {
  clearTimeout(later);
  stream?.close();
  stream = new Stream('run', {
    address: () => `${URL}/events`,
    events: { run: changed, rollout: rolled },
    // A run that has ended may be started again, by anybody.
    ended: () => { later = setTimeout(follow, LOOK_AGAIN); },
    why: () => whyNot(URL),
    refused,
  });
}

function refused(error) {
  const known = error.message !== 'Not Found';
  shown($('#problem'), known ? error.words : `'${ID}' names no run. 'switchyard runs' lists what there is.`);
  shown($('#stages-state'), '');
  later = setTimeout(follow, LOOK_AGAIN);
}

function changed(run) {
  if (seen.run && seen.run.execution !== run.execution) seen.rollouts.clear();
  seen.run = run;
  draw();
  evidence.follow(run);
}

function rolled(rollout) {
  seen.rollouts.set(rollout.workflow_id, rollout);
  draw();
}

function draw() {
  const { run } = seen;
  if (!run) return;
  const going = run.stages.map((stage) => seen.rollouts.get(stage.rollout_id)).filter(Boolean);
  shown($('#problem'), '');
  drawHead(run);
  stages.draw(run);
  log.update(run);
  rollouts.draw(run, going);
  drawActions(run, seen.rollouts, follow);
}

function drawHead(run) {
  const { repo, sha, title } = run.run;
  show($('#status'), run.status);
  text($('#title'), `${repo} ${short(sha)}`);
  document.title = `${run.status}: ${repo} ${short(sha)} · Switchyard`;
  shown($('#about'), title);
  shown($('#reason'), run.reason);
  fill($('#facts'), [run.run, run.run_id, run.execution, run.service, run.version, run.started_at, run.held_until], () => facts(known(run)));
  tick();
}

function known(run) {
  const asked = run.run;
  return [
    ['Branch', asked.branch],
    ['Commit', el('span', { class: 'mono sha', title: asked.sha }, asked.sha)],
    ['By', asked.actor],
    ['Event', [asked.event, asked.tag].filter(Boolean).join(' ')],
    ['Pipeline', [asked.pipeline, run.pipeline_file].filter(Boolean).join(', ')],
    ['Service', [run.service, run.version].filter(Boolean).join(' ')],
    ['Started', el('time', { title: wholly(run.started_at) }, moment(run.started_at))],
    ['Duration', el('span', { id: 'duration' })],
    ['Held until', run.held_until && el('time', { title: wholly(run.held_until) }, moment(run.held_until))],
    ['Workflow', outward(temporalUrl(run.run_id, run.execution), 'in Temporal ↗', { id: 'temporal' })],
  ];
}

function tick() {
  const { run } = seen;
  if (!run) return;
  const end = isFinal(run.status) ? run.finished_at : null;
  text($('#duration'), run.started_at ? lasted(run.started_at, end) : NONE);
  stages.tick(run);
}

if (location.pathname !== runUrl(ID)) history.replaceState(null, '', runUrl(ID) + location.hash);
setInterval(tick, 1000);
follow();
