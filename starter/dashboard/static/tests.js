// Test cases: totals, failures with message and place, and those that passed only when they were run again.

import { el, table } from './dom.js';
import { duration, plural } from './format.js';
import { badge } from './status.js';

const BAD = ['failed', 'error'];
const MOST = 200;

export function drawTests(cases) {
  if (!cases.length) return el('p', { class: 'muted' }, 'No tests are reported yet.');
  const failures = cases.filter((each) => BAD.includes(each.status));
  const flaky = cases.filter((each) => each.status === 'passed' && each.runs.some((run) => BAD.includes(run)));
  return [
    el('p', { class: 'totals' }, ...totals(cases, failures, flaky)),
    failures.length > 0 && table('Failures', FAILURES, failures.slice(0, MOST)),
    failures.length > MOST && el('p', { class: 'muted' }, `The first ${MOST} of ${failures.length} failures are shown.`),
    flaky.length > 0 && el('h3', {}, 'Flaky'),
    flaky.length > 0 && table('Flaky tests', FLAKY, flaky.slice(0, MOST)),
  ];
}

function totals(cases, failures, flaky) {
  const skipped = cases.filter((each) => each.status === 'skipped').length;
  const passed = cases.filter((each) => each.status === 'passed').length;
  const seconds = cases.reduce((sum, each) => sum + each.seconds, 0);
  const counts = [
    badge('passed', `${passed} passed`),
    failures.length > 0 && badge('failed', `${failures.length} failed`),
    flaky.length > 0 && badge('inconclusive', `${flaky.length} flaky`),
    skipped > 0 && badge('skipped', `${skipped} skipped`),
  ];
  return [...counts.filter(Boolean), el('span', { class: 'muted' }, `${plural(cases.length, 'test')}, ${duration(seconds)}`)];
}

const FAILURES = [
  { title: 'Status', cell: (each) => badge(each.status) },
  { title: 'Test', class: 'mono words', cell: named },
  { title: 'Message', class: 'grow', cell: (each) => el('pre', {}, each.message) },
];

const FLAKY = [
  { title: 'Test', class: 'mono words', cell: named },
  { title: 'Runs', class: 'grow', cell: (each) => each.runs.join(', ') },
];

function named(each) {
  return el('span', {}, each.name, el('span', { class: 'sub' }, [each.suite, each.place].filter(Boolean).join(' · ')));
}
