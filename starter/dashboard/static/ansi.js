// Output of terminals as plain text: colours and cursor movements go, and so does what could make a line look like another one.

/* eslint-disable no-control-regex */
const OPERATING = /\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)/g; // titles, links and device strings, with their ends
const CONTROL = /(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)/g; // colours, cursor; also one that is cut off at the line's end
const OTHER = /\x1b[ -/]*(?:[0-~]|$)/g;
const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g; // also changes of direction

/** What a terminal would show of the line in the end; of a line that was overwritten, what came last. */
export function plain(raw) {
  const clean = raw.replace(OPERATING, '').replace(CONTROL, '').replace(OTHER, '');
  const shown = clean.replace(/\r+$/, '');
  return shown.slice(shown.lastIndexOf('\r') + 1).replace(UNSEEN, '\ufffd');
}
