// From a button to the server's answer: the dialog, the request, and what came of it in words.

import { $, el } from './dom.js';
import { post, token } from './api.js';
import { confirmed } from './confirm.js';

/**
 * `asked` is for the dialog; `send(answer)` gives [path, body]; `told(result)` gives the words for people. Gives the server's
 * result, or null when nothing was changed. A wrong token is asked for again.
 */
export async function ask(asked, send, told = (result) => result.message) {
  let given = asked;
  for (;;) {
    const answer = await confirmed(given);
    if (!answer) return null;
    say('Asking the server…', 'busy');
    try {
      const result = await post(...send(answer));
      say(told(result), 'good');
      return result;
    } catch (error) {
      if (error.status !== 401) return refused(error);
      token.forget();
      say('', '');
      given = { ...asked, problem: error.message };
    }
  }
}

function refused(error) {
  say(error.words ?? String(error), 'bad');
  return null;
}

function say(words, tone) {
  const node = $('#answer');
  node.dataset.tone = tone;
  node.replaceChildren(...(words ? [el('span', {}, words), dismiss()] : []));
  if (tone === 'good' || tone === 'bad') node.scrollIntoView({ block: 'nearest' });
}

function dismiss() {
  return el('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => say('', '') }, '✕');
}
