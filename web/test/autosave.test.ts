// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Autosave, type SaveEvents } from '../src/autosave.ts';
import { Drafts } from '../src/draft.ts';
import { Store, withAnswer } from '../src/state.ts';
import type { Content } from '../src/types.ts';
import { body, caseData } from './sample.ts';

type Reply = { status: number; body: unknown } | 'offline';

describe('saving', () => {
  let store: Store;
  let drafts: Drafts;
  let autosave: Autosave;
  let events: { [K in keyof SaveEvents]: ReturnType<typeof vi.fn> };
  let replies: Reply[];
  let page: EventTarget;
  let sent: { version: number; content: Content }[];

  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
    // A page of its own: readers of other tests must not hear it go.
    page = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    store = new Store(caseData());
    drafts = new Drafts('reader1', 'K1', localStorage);
    events = { state: vi.fn(), problems: vi.fn(), loggedOut: vi.fn(), refused: vi.fn(), conflict: vi.fn() };
    autosave = new Autosave(store, drafts, events as unknown as SaveEvents);
    store.on((change) => {
      if (change === 'content') autosave.changed();
      if (change === 'preview') autosave.dragged();
    });
    replies = [];
    sent = [];
    vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
      sent.push(JSON.parse(String(init.body)));
      const reply = replies.shift() ?? { status: 200, body: { version: sent.at(-1)!.version + 1, problems: [] } };
      if (reply === 'offline') throw new TypeError('offline');
      return new Response(JSON.stringify(reply.body), { status: reply.status });
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const grade = (level: string, grade: '0' | '1' | '2'): void =>
    store.changeAnswer('A', level, { ...store.answer('A', level), grade }, level);

  it('waits 300 ms, sends once, and only then drops the draft', async () => {
    grade('T4', '0');
    grade('T5', '0');
    expect(drafts.read()?.version).toBe(3);
    await vi.advanceTimersByTimeAsync(290);
    expect(sent).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(20);
    expect(sent).toHaveLength(1);
    expect(store.version).toBe(4);
    expect(drafts.read()).toBeNull();
    expect(autosave.state).toBe('saved');
  });

  it('tries again when there is no connection, and keeps the draft', async () => {
    replies = ['offline', { status: 500, body: {} }];
    grade('T4', '0');
    await vi.advanceTimersByTimeAsync(400);
    expect(autosave.state).toBe('unsaved');
    expect(drafts.read()).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1000 + 2000 + 100);
    expect(sent).toHaveLength(3);
    expect(autosave.state).toBe('saved');
  });

  it('keeps the draft and stops when the session is over', async () => {
    replies = [{ status: 401, body: { reason: 'over' } }];
    grade('T4', '0');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
    expect(events.loggedOut).toHaveBeenCalledOnce();
    expect(drafts.read()?.content).toEqual(store.content);
  });

  it('asks when someone else saved, and saves what was chosen on their version', async () => {
    const theirs = withAnswer(store.content, 'A', 'T9', body(700, { grade: '2', shape: 'wedge' }));
    replies = [{ status: 409, body: { reason: 'stale', version: 7, content: theirs } }];
    grade('T4', '0');
    await vi.advanceTimersByTimeAsync(400);
    expect(events.conflict).toHaveBeenCalledWith(7, theirs);
    autosave.rebase(7, theirs);
    await vi.advanceTimersByTimeAsync(400);
    expect(sent.at(-1)!.version).toBe(7);
    expect(autosave.state).toBe('saved');
  });

  it('takes the new version silently when theirs is mine', async () => {
    grade('T4', '0');
    replies = [{ status: 409, body: { reason: 'stale', version: 9, content: JSON.parse(JSON.stringify(store.content)) } }];
    await vi.advanceTimersByTimeAsync(400);
    expect(events.conflict).not.toHaveBeenCalled();
    expect(store.version).toBe(9);
    expect(autosave.state).toBe('saved');
  });

  it('drafts during a drag and sends nothing', async () => {
    for (let row = 201; row < 231; row += 1) {
      store.preview(withAnswer(store.content, 'A', 'T4', body(row, { moved: true })));
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(50);
    expect(sent).toHaveLength(0);
    expect(drafts.read()?.content).toEqual(store.content);
  });

  it('sends what changed while a request was on its way', async () => {
    let release = (): void => undefined;
    vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
      sent.push(JSON.parse(String(init.body)));
      if (sent.length === 1) await new Promise<void>((resolve) => (release = resolve));
      return new Response(JSON.stringify({ version: sent.at(-1)!.version + 1, problems: [] }));
    });
    grade('T4', '0');
    await vi.advanceTimersByTimeAsync(350);
    grade('T5', '0');
    expect(drafts.read()?.sent).not.toBe('');
    release();
    await vi.advanceTimersByTimeAsync(400);
    expect(sent.map(({ version }) => version)).toEqual([3, 4]);
    expect(drafts.read()).toBeNull();
  });

  it('touches neither draft nor server while versions wait for a choice', async () => {
    drafts.write({ version: 2, content: store.content, sent: '' });
    autosave.suspend();
    store.content = withAnswer(store.content, 'A', 'T4', body(200, { grade: '0' }));
    page.dispatchEvent(new Event('pagehide'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toHaveLength(0);
    expect(drafts.read()?.version).toBe(2);
  });
});
