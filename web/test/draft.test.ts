import { beforeEach, describe, expect, it } from 'vitest';
import { Drafts, mark, sameContent, type Shelf } from '../src/draft.ts';
import { withAnswer } from '../src/state.ts';
import { body, content } from './sample.ts';

class Memory implements Shelf {
  private readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
}

const server = content();
const mine = withAnswer(server, 'A', 'T4', body(200, { grade: '1', shape: 'wedge' }));

describe('a draft', () => {
  let shelf: Memory;
  let drafts: Drafts;
  beforeEach(() => {
    shelf = new Memory();
    drafts = new Drafts('reader1', 'K1', shelf);
  });

  it('has a key of its reader and its case', () => {
    drafts.write({ version: 3, content: mine, sent: '' });
    expect(shelf.getItem('zoom-draft:reader1:K1')).not.toBeNull();
    expect(new Drafts('reader2', 'K1', shelf).onLoad(3, server).kind).toBe('none');
  });

  it('of the current version is applied', () => {
    drafts.write({ version: 3, content: mine, sent: '' });
    expect(drafts.onLoad(3, server)).toEqual({ kind: 'apply', content: mine });
  });

  it('of an older version is a conflict', () => {
    drafts.write({ version: 2, content: mine, sent: '' });
    expect(drafts.onLoad(3, server).kind).toBe('conflict');
  });

  it('that the server already has is dropped', () => {
    drafts.write({ version: 2, content: mine, sent: '' });
    expect(drafts.onLoad(3, JSON.parse(JSON.stringify(mine))).kind).toBe('none');
    expect(drafts.read()).toBeNull();
  });

  it('goes on where the request on its way arrived', () => {
    const more = withAnswer(mine, 'A', 'T5', body(300, { grade: '0' }));
    drafts.write({ version: 3, content: more, sent: mark(mine) });
    expect(drafts.onLoad(4, mine)).toEqual({ kind: 'apply', content: more });
    expect(drafts.onLoad(4, server).kind).toBe('conflict');
  });

  it('that is no draft is none', () => {
    shelf.setItem(drafts.key, '{"version":"x"}');
    expect(drafts.onLoad(3, server).kind).toBe('none');
    shelf.setItem(drafts.key, '{');
    expect(drafts.onLoad(3, server).kind).toBe('none');
  });

  it('survives a browser that stores nothing', () => {
    const full: Shelf = { ...shelf, getItem: () => null, removeItem: () => undefined, setItem: () => { throw new Error('full'); } };
    expect(new Drafts('reader1', 'K1', full).write({ version: 1, content: mine, sent: '' })).toBe(false);
  });
});

describe('equal content', () => {
  it('does not depend on order or on empty answers', () => {
    const spine = server.sides.A!;
    const turned = Object.fromEntries(Object.entries(spine.vertebrae).reverse());
    const other = { ...server, sides: { B: server.sides.B!, A: { ...spine, vertebrae: turned } } };
    expect(sameContent(server, other)).toBe(true);
    expect(sameContent(server, mine)).toBe(false);
    expect(mark(server)).toBe(mark(other));
  });
});
