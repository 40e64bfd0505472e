// A stream of server-sent events that comes back by itself, and lets go while nobody looks: browsers have few connections.

import { ApiError } from './api.js';
import { found, lost, onRetry } from './offline.js';

const WAITS = [500, 1000, 2000, 4000];
const GONE = new ApiError(0, 'The Switchyard server does not answer', 'What is shown may be out of date; this page tries again by itself');

export class Stream {
  /**
   * `address()` is asked at each connection. `events`: handlers by event name, called with the data and the event's id.
   * `ended` is called at the event `end`. `why` may say (as an ApiError, or null) why a connection failed; errors that do not
   * pass end the stream and go to `refused`.
   */
  constructor(name, { address, events, ended = () => {}, why = async () => null, refused = () => {} }) {
    Object.assign(this, { name, address, events, ended, why, refused });
    this.over = false;
    this.tries = 0;
    this.look = () => (document.hidden ? this.disconnect() : this.connect());
    document.addEventListener('visibilitychange', this.look);
    this.forgotten = onRetry(() => this.again());
    this.look();
  }

  connect() {
    if (this.over || this.source) return;
    clearTimeout(this.timer);
    const source = new EventSource(this.address());
    this.source = source;
    source.addEventListener('open', () => this.opened());
    source.addEventListener('error', () => this.failed(source));
    source.addEventListener('end', (event) => this.end(JSON.parse(event.data)));
    for (const [name, handle] of Object.entries(this.events)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data), event.lastEventId));
    }
  }

  disconnect() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** Connects anew at once, when it was not connected. */
  again() {
    if (!this.over && !this.source && !document.hidden) this.connect();
  }

  close() {
    this.over = true;
    this.disconnect();
    this.forgotten();
    document.removeEventListener('visibilitychange', this.look);
    found(this.name);
  }

  opened() {
    this.tries = 0;
    found(this.name);
  }

  end(said) {
    this.close();
    this.ended(said);
  }

  async failed(source) {
    if (this.over || this.source !== source) return;
    this.disconnect();
    const error = await this.why();
    if (this.over || this.source) return;
    if (error && !error.passing) {
      this.close();
      this.refused(error);
      return;
    }
    lost(this.name, error || GONE);
    this.timer = setTimeout(() => this.again(), WAITS[Math.min(this.tries++, WAITS.length - 1)]);
  }
}
