// Building and updating elements. Data reaches the page as text nodes and attributes only, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

export const $ = (css, within = document) => within.querySelector(css);

/** An element with attributes (false and null leave one out, `on…` takes listeners) and children: nodes or text. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Replaces what is in `node`, but only when `key` differs from last time; the focus stays on what is there before and after. */
export function fill(node, key, build) {
  const known = JSON.stringify(key);
  if (node.dataset.shown === known) return;
  node.dataset.shown = known;
  const focused = node.contains(document.activeElement) && document.activeElement !== node ? nameOf(document.activeElement) : '';
  node.replaceChildren(...[build()].flat().filter(Boolean));
  if (focused) [...node.querySelectorAll('a, button, summary')].find((each) => nameOf(each) === focused)?.focus();
}

function nameOf(node) {
  return [node.tagName, node.dataset.action, node.dataset.stage, node.getAttribute('href'), node.textContent].join('|');
}

export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Shows `value` in `node`, or hides it when there is none. */
export function shown(node, value) {
  text(node, value || '');
  node.hidden = !value;
}

/** One child of `parent` per item in the items' order; known children are updated in place and keep the focus. */
export function keyed(parent, items, keyOf, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = keyOf(item);
    const child = known.get(key) || create(item);
    child.dataset.key = key;
    known.delete(key);
    update(child, item);
    return child;
  });
  for (const child of known.values()) child.remove();
  wanted.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] || null);
  });
}

/** The entries of a list of facts, without those that have no value. `known`: [name, text or node]. */
export function facts(known) {
  return known.filter(([, value]) => value).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)));
}

/** A link to another site, in a tab of its own. */
export function outward(href, words, attributes = {}) {
  return el('a', { ...attributes, href, target: '_blank', rel: 'noopener' }, words);
}

/** A table; `columns` are {title, cell(item) -> node or text, class}. */
export function table(caption, columns, items) {
  const head = columns.map((column) => el('th', { scope: 'col', class: column.class }, column.title));
  const rows = items.map((item) => el('tr', {}, columns.map((column) => el('td', { class: column.class }, column.cell(item)))));
  return el('div', { class: 'scroll' },
    el('table', {}, el('caption', { class: 'sr' }, caption), el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows)));
}
