// What the analyses said, the newest first, with the numbers that they saw.

import { el, table } from './dom.js';
import { NONE, clock, number, wholly } from './format.js';
import { badge } from './status.js';

const MOST = 8;

export function drawVerdicts(verdicts) {
  if (!verdicts.length) return null;
  const newest = [...verdicts].reverse();
  const older = newest.slice(MOST);
  return [
    el('h3', {}, 'Analyses'),
    table('Newest analyses', COLUMNS, newest.slice(0, MOST)),
    older.length > 0 && el('details', {}, el('summary', {}, `${older.length} earlier`), table('Earlier analyses', COLUMNS, older)),
  ];
}

const COLUMNS = [
  { title: 'Time', cell: ({ at }) => el('time', { title: wholly(at) }, clock(at)) },
  { title: 'Outcome', cell: ({ verdict }) => badge(verdict.outcome) },
  { title: 'Reason', class: 'grow', cell: ({ verdict }) => verdict.reason || NONE },
  { title: 'Measured', class: 'words', cell: ({ verdict }) => measured(verdict) },
  { title: 'Requests', class: 'num', cell: ({ verdict }) => requests(verdict.requests) },
  { title: 'Score', class: 'num', cell: ({ verdict }) => number(verdict.score) },
];

function measured(verdict) {
  const names = [...new Set([...Object.keys(verdict.values), ...Object.keys(verdict.outcomes)])].sort();
  return el('ul', { class: 'plain' }, names.map((name) => {
    const told = [verdict.outcomes[name], verdict.classifications[name]].filter(Boolean).join(', ');
    return el('li', {}, el('span', { class: 'mono' }, `${name} ${number(verdict.values[name])}`), told && el('span', { class: 'muted' }, ` ${told}`));
  }));
}

function requests(tracks) {
  return Object.entries(tracks).map(([track, count]) => el('div', {}, `${count} `, el('span', { class: 'muted' }, track)))
    .reduce((list, each) => { list.append(each); return list; }, el('div', {}));
}
