// The environments: what runs where, what is under way, and the way back to an earlier release.

import { get } from './api.js';
import { ask } from './ask.js';
import { $, el, fill, keyed, shown } from './dom.js';
import { NONE, path, plural, runUrl, short, temporalUrl } from './format.js';
import { Poll } from './poll.js';
import { badge } from './status.js';

const SECONDS = 4;

export function watchPlaces() {
  const poll = new Poll('environments', SECONDS, load, refused);

  async function load(signal) {
    const places = await get('/api/environments', signal);
    const rollouts = await Promise.all(places.map((place) => underWay(place, signal)));
    places.forEach((place, index) => Object.assign(place, { rollout: rollouts[index] }));
    keyed($('#places'), places, (place) => `${place.environment}/${place.service}`, card, (node, place) => update(node, place, poll));
    shown($('#environments-state'), places.length ? '' : 'Nothing was released yet.');
    return true;
  }
}

/** The view of the place's rollout; without it (it has just ended, say) its name has to do. */
async function underWay(place, signal) {
  if (!place.active) return null;
  const report = await get(`/api/rollouts/${path(place.active)}`, signal).catch(() => null);
  return report?.view ?? null;
}

function refused(error) {
  if (!$('#places').children.length) shown($('#environments-state'), error.words);
}

function card(place) {
  return el('li', { class: 'place', 'data-environment': place.environment, 'data-service': place.service });
}

function update(node, place, poll) {
  fill(node, place, () => [
    el('h3', {}, place.environment, el('span', { class: 'muted' }, ' / '), place.service),
    el('p', { class: 'stable' }, ...(place.stable ? released(place.stable) : [el('span', { class: 'muted' }, 'nothing is stable yet')])),
    ...activity(place),
    back(place, poll),
  ]);
}

function released(release) {
  const name = release.version || release.id;
  return [
    el('strong', { class: 'mono' }, release.run_id ? el('a', { href: runUrl(release.run_id) }, name) : name),
    el('span', { class: 'muted' }, ` ${[short(release.sha), plural(release.replicas, 'replica')].filter(Boolean).join(' · ')}`),
  ];
}

function activity(place) {
  const queued = place.queued.length ? `${plural(place.queued.length, 'release')} queued` : '';
  return [
    place.frozen && el('p', {}, badge('frozen'), ` ${place.frozen}`),
    place.active && el('p', {}, ...moving(place)),
    queued && el('p', { class: 'muted' }, queued),
  ].filter(Boolean);
}

function moving({ active, rollout }) {
  if (!rollout) return [badge('progressing', 'under way'), ' ', el('a', { href: temporalUrl(active) }, active)];
  const name = rollout.candidate.version || rollout.candidate.id;
  const where = rollout.run_id ? runUrl(rollout.run_id) : temporalUrl(active);
  return [
    badge(rollout.result || rollout.status),
    ' ', el('a', { href: where, class: 'mono' }, name), ` ${rollout.strategy}, ${rollout.weight} %`,
    el('span', { class: 'sub' }, rollout.waiting_for ? `waits for ${rollout.waiting_for}` : rollout.reason || rollout.move || ''),
  ];
}

function back(place, poll) {
  const earlier = place.history.filter((release) => release.id !== place.stable?.id);
  if (!earlier.length) return null;
  const choices = earlier.map((release) => [release.id, `${release.version || release.id} (${short(release.sha) || release.id})`]);
  const onclick = async () => {
    const done = await ask(
      {
        title: 'Roll back',
        target: `${place.environment} / ${place.service}: ${place.stable?.version || place.stable?.id || NONE}`,
        effect: 'The earlier release is started again and gets the traffic. A release of the last 24 hours comes back without pauses.',
        word: 'Roll back', danger: true, choices, label: 'Back to',
      },
      ({ actor, reason, choice }) => [
        `/api/environments/${encodeURIComponent(place.environment)}/${encodeURIComponent(place.service)}/rollback`,
        { actor, reason, to: choice },
      ],
      (ticket) => `Rollback asked for: ${ticket.workflow_id}${ticket.ahead ? `, ${ticket.ahead} before it` : ''}.`,
    );
    if (done) poll.now();
  };
  return el('p', {}, el('button', { type: 'button', 'data-action': 'rollback', onclick }, 'Roll back…'));
}
