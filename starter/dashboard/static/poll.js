// Asking again and again, never twice at once, and not while nobody looks.

import { ApiError } from './api.js';
import { found, lost, onRetry } from './offline.js';

export class Poll {
  /** `work(signal)` every `seconds` while it resolves to true; `refused(error)` gets errors that do not pass by themselves. */
  constructor(name, seconds, work, refused = () => {}) {
    Object.assign(this, { name, seconds, work, refused });
    this.look = () => !document.hidden && this.now();
    document.addEventListener('visibilitychange', this.look);
    this.forgotten = onRetry(() => this.now());
    this.now();
  }

  /** At once; an answer that is still on its way counts no more. */
  async now() {
    clearTimeout(this.timer);
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    const more = await this.once(controller.signal);
    if (this.controller !== controller || this.over || !more) return;
    this.timer = setTimeout(() => this.look(), this.seconds * 1000);
  }

  async once(signal) {
    try {
      const more = await this.work(signal);
      found(this.name);
      return more;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof ApiError)) throw error;
      if (error.passing) lost(this.name, error);
      else found(this.name);
      this.refused(error);
      return true;
    }
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.controller?.abort();
    this.forgotten();
    document.removeEventListener('visibilitychange', this.look);
    found(this.name);
  }
}
