// Asking the JSON API. Every failure is an ApiError with words for people; the token travels in a header only.

const TOKEN = 'switchyard-token';
const PATIENCE = 20_000;

export class ApiError extends Error {
  /** `status` 0: the server did not answer at all. */
  constructor(status, message, remedy = '') {
    super(message);
    this.status = status;
    this.remedy = remedy;
  }

  /** It may be otherwise in a moment, without anybody changing what was asked. */
  get passing() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }

  get words() {
    return [this.message, this.remedy].filter(Boolean).map((each) => `${each.replace(/\.$/, '')}.`).join(' ');
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN) || '',
  set: (value) => sessionStorage.setItem(TOKEN, value),
  forget: () => sessionStorage.removeItem(TOKEN),
};

export function get(path, signal) {
  return ask(path, { headers: { Accept: 'application/json' } }, signal);
}

/** Why `path` cannot be had at the moment, or null when it can. */
export function whyNot(path) {
  return get(path).then(() => null, (error) => error);
}

/** Writes as whoever holds the token that this tab keeps. */
export async function post(path, body) {
  if (!/^[\x21-\x7e]+$/.test(token.get())) throw new ApiError(401, 'the token is wrong: it has characters that no token has');
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token.get()}` };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask(path, options, signal) {
  const late = AbortSignal.timeout(PATIENCE);
  const response = await answered(path, { ...options, signal: signal ? AbortSignal.any([signal, late]) : late }, signal);
  const said = await response.json().catch(() => null);
  if (response.ok) return said;
  throw new ApiError(response.status, said?.error || `the server answered ${response.status}`, said?.remedy || '');
}

async function answered(path, options, signal) {
  try {
    return await fetch(path, { cache: 'no-store', ...options });
  } catch (error) {
    if (signal?.aborted) throw error;
    const late = error.name === 'TimeoutError';
    const what = late ? 'The Switchyard server does not answer in time' : 'The Switchyard server does not answer';
    throw new ApiError(0, what, "What is shown may be out of date; 'switchyard doctor' on its machine looks for the cause");
  }
}
