// Findings of all tools, the gravest first.

import { el, table } from './dom.js';
import { plural } from './format.js';
import { SEVERITIES, badge } from './status.js';

const MOST = 200;

export function drawFindings({ findings, tools, unavailable }) {
  const sorted = [...findings].sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity));
  return [
    el('p', { class: 'muted' }, summary(findings, tools)),
    ...Object.entries(unavailable).map(([tool, why]) => el('p', { class: 'notice' }, `${tool} could not work: ${why}`)),
    findings.length > 0 && table('Findings', COLUMNS, sorted.slice(0, MOST)),
    findings.length > MOST && el('p', { class: 'muted' }, `The gravest ${MOST} of ${findings.length} are shown.`),
  ];
}

const COLUMNS = [
  { title: 'Severity', cell: (finding) => badge(finding.severity) },
  { title: 'Rule', class: 'mono', cell: (finding) => el('span', {}, finding.rule, el('span', { class: 'sub' }, finding.tool)) },
  { title: 'Place', class: 'mono words', cell: place },
  { title: 'Finding', class: 'grow', cell: (finding) => el('span', {}, finding.message, finding.remedy && el('span', { class: 'sub' }, finding.remedy)) },
];

function place({ path, line }) {
  return path ? (line === null ? path : `${path}:${line}`) : '';
}

function summary(findings, tools) {
  if (!tools.length) return 'No tool has reported yet.';
  const counts = SEVERITIES.map((level) => [level, findings.filter((finding) => finding.severity === level).length]);
  const words = counts.filter(([, count]) => count).map(([level, count]) => `${count} ${level}`).join(', ');
  return `${words || plural(0, 'finding')} by ${tools.join(', ')}`;
}
