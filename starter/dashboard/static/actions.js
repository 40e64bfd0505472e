// The buttons of a run's page: each is there only while what it asks for is allowed.

import { ask } from './ask.js';
import { $, el, fill } from './dom.js';
import { path } from './format.js';
import { isFinal } from './status.js';

const ENDED_BADLY = ['failed', 'cancelled'];

/** `rollouts`: views by workflow id. `again()` is called when an ended run was started anew. */
export function drawActions(run, rollouts, again) {
  const groups = groupsOf(run, rollouts);
  $('#actions').hidden = !groups.length;
  fill($('#actions'), [run.run_id, groups], () => groups.map((group) => draw(group, run, again)));
}

/** What may be asked now: {text, waits, asks: [{action, word, …}]}. */
export function groupsOf(run, rollouts) {
  const groups = run.stages.flatMap((stage) => [...ofStage(run, stage), ...ofRollout(stage, rollouts.get(stage.rollout_id))]);
  return [...groups, ...ofRun(run)].filter((group) => group.asks.length);
}

function runPath(run) {
  return `/api/runs/${path(run.run_id)}`;
}

function ofStage(run, stage) {
  const base = { stage: stage.name, target: `stage ${stage.name}`, path: runPath(run) };
  if (stage.status === 'waiting' && stage.waiting_for.startsWith('approval')) {
    return [{ waits: true, text: `${stage.name} waits for ${stage.waiting_for}`, asks: [
      { ...base, action: 'approve', word: 'Approve', effect: `${stage.name} goes on as soon as nobody else has to approve.` },
      { ...base, action: 'reject', word: 'Reject', danger: true, effect: `${stage.name} fails, and what needs it does not run.` },
    ] }];
  }
  return run.status === 'held' && ENDED_BADLY.includes(stage.status) ? [held(stage, base)] : [];
}

function held(stage, base) {
  const choices = stage.steps.length > 1 ? [['', 'where it failed'], ...stage.steps.map((step) => [String(step.index), step.title])] : null;
  return { waits: true, text: `${stage.name} has ${stage.status === 'failed' ? 'failed' : 'been stopped'}; the run is held open`, asks: [
    { ...base, action: 'retry', word: 'Retry', choices, label: 'Begin at', effect: 'The stage runs again. What has passed is not repeated.' },
    { ...base, action: 'skip', word: 'Skip', danger: true, effect: `${stage.name} counts as passed although it has not, and the run goes on behind it.` },
  ] };
}

function ofRollout(stage, rollout) {
  if (!rollout || rollout.status === 'done') return [];
  const { place, version, id } = rollout.candidate;
  const base = { stage: stage.name, target: `${place.environment} / ${place.service}: ${version || id}`, path: `/api/rollouts/${path(rollout.workflow_id)}` };
  const waits = Boolean(rollout.waiting_for);
  const text = `${place.environment} / ${place.service} at ${rollout.weight} %${waits ? ` waits for ${rollout.waiting_for}` : `: ${rollout.move}`}`;
  const advancing = rollout.intent === 'advance';
  const asks = rollout.waiting_for.startsWith('approval') ? ['approve', 'reject'] : [];
  if (advancing) asks.push(rollout.waiting_for.startsWith("'resume'") ? 'resume' : 'pause', 'promote');
  if (rollout.intent !== 'rollback') asks.push('abort');
  return [{ waits, text, asks: asks.map((action) => ({ ...base, action, ...ROLLOUT[action] })) }];
}

const BACK = 'All traffic goes back to the stable release, then the candidate is removed.';
const ROLLOUT = {
  approve: { word: 'Approve', effect: 'The candidate gets the next share of the traffic as soon as nobody else has to approve.' },
  reject: { word: 'Reject', danger: true, effect: BACK },
  pause: { word: 'Pause', effect: 'The rollout stays where it is after its present move. The traffic stays as it is.' },
  resume: { word: 'Resume', effect: 'The rollout goes on with its plan.' },
  promote: { word: 'Promote', full: true, effect: 'The present pause is skipped, and the rollout goes on with its plan.' },
  abort: { word: 'Abort rollout', danger: true, effect: BACK },
};

function ofRun(run) {
  const base = { target: run.run_id, path: runPath(run) };
  const bad = run.stages.filter((stage) => ENDED_BADLY.includes(stage.status));
  const asks = [];
  if (run.status === 'held' && bad.length > 1) {
    asks.push({ ...base, action: 'retry', word: 'Retry all that failed', effect: 'What has passed is not repeated.' });
  }
  if (ENDED_BADLY.includes(run.status)) {
    asks.push({ ...base, action: 'retry', word: 'Retry run', effect: 'The run starts again under the same id and takes over what has passed.' });
  }
  if (!isFinal(run.status)) {
    asks.push({ ...base, action: 'abort', word: 'Abort run', danger: true, effect: 'Running steps are stopped, and rollouts go back to their stable release.' });
  }
  return [{ text: '', asks }];
}

function draw(group, run, again) {
  const buttons = group.asks.map((asked) => el('button', {
    type: 'button',
    class: asked.danger ? 'danger' : asked.action === 'approve' ? 'primary' : null,
    'data-action': asked.action,
    'data-stage': asked.stage,
    'aria-label': asked.stage ? `${asked.word}: ${asked.target}` : null,
    onclick: () => send(asked, run, again),
  }, `${asked.word}…`));
  return el('div', { class: 'ask', 'data-waits': group.waits }, group.text && el('p', {}, group.text), el('div', { class: 'row' }, buttons));
}

async function send(asked, run, again) {
  const done = await ask(
    { ...asked, title: asked.word },
    (answer) => [`${asked.path}/${asked.action === 'reject' ? 'approve' : asked.action}`, body(asked, answer)],
    (result) => result.message ?? (result.already ? 'It was running already.' : 'Started again.'),
  );
  if (done && isFinal(run.status)) again();
  if (!document.activeElement || document.activeElement === document.body) $('#answer').focus();
}

function body(asked, { actor, reason, full, choice }) {
  return {
    actor,
    reason,
    // A rollout's own address says which rollout is meant.
    ...(asked.stage && !asked.path.startsWith('/api/rollouts/') && { stage: asked.stage }),
    ...(asked.action === 'reject' && { approved: false }),
    ...(asked.full && { full }),
    ...(asked.choices && choice !== '' && { step: Number(choice) }),
  };
}
