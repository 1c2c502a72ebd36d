// Saving without being asked: 300 ms after a change, one request at a time, again after a failure.
// The draft in this browser is written first and removed only when the server has the content.
import type { Drafts } from './draft.ts';
import { mark, sameContent } from './draft.ts';
import type { Store } from './state.ts';
import type { Content } from './types.ts';

export type SaveState = 'saved' | 'saving' | 'unsaved';

export interface SaveEvents {
  state(state: SaveState, words: string): void;
  problems(problems: readonly (readonly string[])[]): void;
  loggedOut(): void;
  refused(words: string): void;
  conflict(version: number, content: Content): void;
}

const DEBOUNCE_MS = 300;
const DRAFT_MS = 40;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const REQUEST_MS = 20_000;
/** Browsers let a request outlive its page up to 64 KiB of body. */
const KEEPALIVE_BYTES = 60_000;

export class Autosave {
  state: SaveState = 'saved';
  private saved: Content;
  private sending: Content | null = null;
  private timer = 0;
  private draftTimer = 0;
  private draftAt = 0;
  private retryMs = FIRST_RETRY_MS;
  /** Set while only the reader can go on: a conflict, a log-in, a refusal. */
  private held = false;
  private suspended = false;

  constructor(
    private readonly store: Store,
    private readonly drafts: Drafts,
    private readonly events: SaveEvents,
  ) {
    this.saved = store.content;
    addEventListener('online', () => this.soon(0));
    addEventListener('pagehide', () => this.flush());
    addEventListener('beforeunload', () => this.flush());
  }

  get dirty(): boolean {
    return this.store.content !== this.saved;
  }

  /** A finished change. */
  changed(): void {
    if (this.store.readOnly || this.suspended) return;
    if (!this.dirty && !this.sending) {
      this.settleSaved();
      return;
    }
    this.held = false;
    this.writeDraft();
    this.show('unsaved', 'not saved');
    this.soon(DEBOUNCE_MS);
  }

  /** A drag goes on: the draft at once, then at most every 40 ms; the server when it is over. */
  dragged(): void {
    if (this.store.readOnly || this.suspended) return;
    this.show('unsaved', 'not saved');
    const wait = this.draftAt + DRAFT_MS - performance.now();
    if (wait <= 0) this.writeDraft();
    else if (!this.draftTimer) this.draftTimer = window.setTimeout(() => this.writeDraft(), wait);
  }

  /**
   * Nothing is sent or drafted until `rebase`: the screen shows an old draft beside newer answers of
   * the server, and must not overwrite either before the reader has chosen.
   */
  suspend(): void {
    this.suspended = true;
    this.hold('not saved: choose a version');
  }

  /** The server's state is known anew: `base` is what it holds. */
  rebase(version: number, base: Content): void {
    this.store.version = version;
    this.saved = base;
    this.held = false;
    this.suspended = false;
    if (sameContent(base, this.store.content)) {
      this.store.content = base;
      this.settleSaved();
    } else {
      this.changed();
    }
  }

  /** Saves now what is not saved; true when the server has everything. */
  async now(): Promise<boolean> {
    clearTimeout(this.timer);
    for (let tries = 0; tries < 3 && (this.dirty || this.sending) && !this.held; tries += 1) {
      if (this.sending) await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** tries));
      else await this.send();
    }
    return !this.dirty && !this.sending;
  }

  private soon(ms: number): void {
    clearTimeout(this.timer);
    if (this.held || !this.dirty) return;
    this.timer = window.setTimeout(() => void this.send(), ms);
  }

  private writeDraft(): void {
    clearTimeout(this.draftTimer);
    this.draftTimer = 0;
    this.draftAt = performance.now();
    const sent = this.sending ? mark(this.sending) : '';
    this.drafts.write({ version: this.store.version, content: this.store.content, sent });
  }

  /** The page goes away: the draft stays, and a request that outlives the page is tried. */
  private flush(): void {
    if (this.store.readOnly || this.suspended || !this.dirty) return;
    this.writeDraft();
    if (this.sending || this.held) return;
    const body = this.body(this.store.content);
    if (body.length < KEEPALIVE_BYTES) void this.request(body, true).catch(() => undefined);
  }

  private body(content: Content): string {
    return JSON.stringify({ version: this.store.version, content });
  }

  private request(body: string, keepalive: boolean): Promise<Response> {
    return fetch(this.store.data.urls.save, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': this.store.data.csrf },
      body,
      keepalive,
      credentials: 'same-origin',
      ...(keepalive ? {} : { signal: AbortSignal.timeout(REQUEST_MS) }),
    });
  }

  private async send(): Promise<void> {
    clearTimeout(this.timer);
    if (this.sending || this.held || !this.dirty) return;
    const content = this.store.content;
    if (sameContent(content, this.saved)) {
      // Changed and changed back: there is nothing to tell the server.
      this.saved = content;
      this.settleSaved();
      return;
    }
    this.sending = content;
    this.show('saving', 'saving…');
    this.writeDraft();
    let response: Response;
    let answer: Record<string, unknown>;
    try {
      const body = this.body(content);
      response = await this.request(body, body.length < KEEPALIVE_BYTES);
      answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    } catch {
      this.sending = null;
      this.again('not saved: no connection, trying again');
      return;
    }
    this.sending = null;
    this.take(response.status, answer, content);
  }

  private take(status: number, answer: Record<string, unknown>, content: Content): void {
    const reason = typeof answer['reason'] === 'string' ? answer['reason'] : '';
    if (status === 200 && typeof answer['version'] === 'number') {
      this.retryMs = FIRST_RETRY_MS;
      this.store.version = answer['version'];
      this.saved = content;
      this.events.problems((answer['problems'] as string[][] | undefined) ?? []);
      if (this.dirty) this.changed();
      else this.settleSaved();
    } else if (status === 409 && typeof answer['version'] === 'number') {
      const theirs = answer['content'] as Content;
      if (sameContent(theirs, this.store.content)) {
        this.rebase(answer['version'], this.store.content);
        return;
      }
      this.hold('not saved: also changed elsewhere');
      this.events.conflict(answer['version'], theirs);
    } else if (status === 401) {
      this.hold('not saved: session over');
      this.events.loggedOut();
    } else if (status === 403 || status === 422 || status === 404 || status === 409) {
      this.hold('not saved');
      this.events.refused(reason || `the server refused (${status})`);
    } else {
      this.again('not saved: the server does not answer, trying again');
    }
  }

  private hold(words: string): void {
    this.held = true;
    this.show('unsaved', words);
  }

  private again(words: string): void {
    this.show('unsaved', words);
    this.soon(this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  private settleSaved(): void {
    clearTimeout(this.timer);
    clearTimeout(this.draftTimer);
    this.draftTimer = 0;
    this.drafts.remove();
    this.show('saved', 'saved');
  }

  private show(state: SaveState, words: string): void {
    this.state = state;
    this.events.state(state, words);
  }
}
