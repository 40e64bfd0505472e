// The dialog before anything is changed: what will happen, who wants it and why, and, once per tab, the token.

import { $, el, shown, text } from './dom.js';
import { token } from './api.js';

const ACTOR = 'switchyard-actor';
const dialog = $('#confirm');
const form = $('form', dialog);
const ok = $('button[value=ok]', dialog);

// A key that is held down must not open the dialog and confirm it too.
dialog.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.repeat) event.preventDefault();
});
$('button[value=cancel]', dialog).addEventListener('click', () => dialog.close('cancel'));

/**
 * Asks, and gives {actor, reason, full, choice}, or null when people think better of it. `asked`: {title, target, effect, word,
 * danger, full (offer to skip all), choices ([value, words]), label (of the choices), problem (why it has to be asked again)}.
 */
export function confirmed(asked) {
  text($('#confirm-title'), asked.title);
  text($('#confirm-target'), asked.target);
  text($('#confirm-effect'), asked.effect);
  shown($('#confirm-problem'), asked.problem);
  text(ok, asked.word);
  ok.classList.toggle('danger', Boolean(asked.danger));
  offer(asked);
  askToken();
  if (!asked.problem) form.elements.reason.value = '';
  form.elements.actor.value = localStorage.getItem(ACTOR) || '';
  dialog.returnValue = 'cancel';
  dialog.showModal();
  (token.get() ? form.elements.reason : form.elements.token).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok' ? answer() : null), { once: true });
  });
}

function offer(asked) {
  form.elements.full.checked = false;
  $('#confirm-full').hidden = !asked.full;
  $('#confirm-choice').hidden = !asked.choices;
  text($('#confirm-choice span'), asked.label || '');
  form.elements.choice.replaceChildren(...(asked.choices || []).map(([value, words]) => el('option', { value }, words)));
}

function askToken() {
  const field = form.elements.token;
  field.value = '';
  field.required = !token.get();
  $('#confirm-token').hidden = !field.required;
}

function answer() {
  const { actor, reason, full, choice } = form.elements;
  if (form.elements.token.value) token.set(form.elements.token.value.trim());
  form.elements.token.value = '';
  const name = actor.value.trim();
  if (name) localStorage.setItem(ACTOR, name);
  else localStorage.removeItem(ACTOR);
  return { ...(name && { actor: name }), reason: reason.value.trim(), full: full.checked, choice: choice.value };
}
