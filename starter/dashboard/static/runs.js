// The page of runs: the list, which follows what happens, and its filters, which the address keeps.

import { get } from './api.js';
import { $, el, keyed, shown, text } from './dom.js';
import { watchPlaces } from './environments.js';
import { NONE, ago, clock, lasted, now, runUrl, short, wholly } from './format.js';
import { Poll } from './poll.js';
import { badge, isFinal, show } from './status.js';

const FILTERS = ['repo', 'branch', 'status'];
const SECONDS = 2;
const STEP = 30;
const MOST = 1000;
const form = $('#filters');
const body = $('#runs tbody');
let limit = STEP;
let listed = [];

function filters() {
  const given = FILTERS.map((name) => [name, form.elements[name].value.trim()]);
  return new URLSearchParams(given.filter(([, value]) => value));
}

function fromAddress() {
  const given = new URLSearchParams(location.search);
  for (const name of FILTERS) form.elements[name].value = given.get(name) || '';
}

function toAddress() {
  const query = filters().toString();
  history.replaceState(null, '', `${location.pathname}${query ? `?${query}` : ''}${location.hash}`);
}

async function load(signal) {
  const query = filters();
  query.set('limit', String(limit));
  listed = await get(`/api/runs?${query}`, signal);
  draw();
  text($('#fresh'), `updated ${clock(now())}`);
  return true;
}

function draw() {
  keyed(body, listed, (run) => run.run_id, row, update);
  $('#runs').hidden = !listed.length;
  $('#more').hidden = listed.length < limit || limit >= MOST;
  const filtered = filters().toString();
  const none = filtered ? 'No run is like that.' : "No runs yet. Start one with 'switchyard run', or point a webhook here.";
  shown($('#runs-state'), listed.length ? '' : none);
}

function row(run) {
  return el('tr', { 'data-run': run.run_id, role: 'row' },
    el('td', { role: 'cell' }, badge(run.status)),
    el('th', { scope: 'row', role: 'rowheader' },
      el('a', { href: runUrl(run.run_id) }, run.repo || run.run_id),
      run.pipeline && run.pipeline !== 'default' && el('span', { class: 'tag' }, run.pipeline),
      el('span', { class: 'narrow sub mono' }, [run.branch, short(run.sha)].filter(Boolean).join(' · ')),
      el('span', { class: 'sub' }, run.title)),
    el('td', { class: 'wide', role: 'cell' }, run.branch || NONE),
    el('td', { class: 'wide mono', role: 'cell', title: run.sha }, short(run.sha)),
    el('td', { class: 'wide', role: 'cell' }, run.actor || NONE),
    el('td', { class: 'num', role: 'cell' }, el('time', { title: wholly(run.started_at) })),
    el('td', { class: 'num', role: 'cell' }));
}

function update(node, run) {
  node.dataset.status = run.status;
  show($('.status', node), run.status);
  tick(node, run);
}

function tick(node, run) {
  text($('time', node), ago(run.started_at));
  text(node.lastElementChild, lasted(run.started_at, isFinal(run.status) ? run.finished_at : null));
}

function refused(error) {
  listed = [];
  draw();
  shown($('#runs-state'), error.words);
}

fromAddress();
const poll = new Poll('runs', SECONDS, load, (error) => (error.passing ? listed.length || refused(error) : refused(error)));

function changed() {
  limit = STEP;
  toAddress();
  poll.now();
}

let typing = 0;
form.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(changed, 250);
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  changed();
});
form.addEventListener('reset', () => setTimeout(changed));
$('#more').addEventListener('click', () => {
  limit = Math.min(limit * 2, MOST);
  poll.now();
});
window.addEventListener('popstate', () => {
  fromAddress();
  poll.now();
});
setInterval(() => [...body.children].forEach((node, place) => listed[place] && tick(node, listed[place])), 1000);
watchPlaces();
