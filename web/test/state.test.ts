import { describe, expect, it } from 'vitest';
import { Store, withAnswer } from '../src/state.ts';
import { body, caseData } from './sample.ts';

describe('undo', () => {
  it('goes back and forth, and a new change ends the way forth', () => {
    const store = new Store(caseData());
    const start = store.content;
    store.changeAnswer('A', 'T4', { ...store.answer(), grade: '0' }, 'T4 grade 0');
    store.changeAnswer('A', 'T5', { ...store.answer('A', 'T5'), grade: '2' }, 'T5 grade 2');
    expect(store.undo()).toBe('T5 grade 2');
    expect(store.answer('A', 'T5').grade).toBeNull();
    expect(store.redo()).toBe('T5 grade 2');
    expect(store.answer('A', 'T5').grade).toBe('2');
    store.undo();
    store.undo();
    expect(store.content).toBe(start);
    expect(store.undo()).toBeNull();
    store.changeAnswer('A', 'T4', { ...store.answer('A', 'T4'), grade: '1' }, 'T4 grade 1');
    expect(store.canRedo).toBe(false);
  });

  it('takes a whole drag back in one step', () => {
    const store = new Store(caseData());
    const before = store.content;
    for (const row of [201, 202, 203]) {
      store.preview(withAnswer(store.content, 'A', 'T4', body(row, { moved: true })));
    }
    store.settle(before, 'moved');
    expect(store.undo()).toBe('moved');
    expect(store.content).toBe(before);
  });

  it('does not count the same answer twice', () => {
    const store = new Store(caseData());
    store.changeAnswer('A', 'T4', { ...store.answer(), grade: '0' }, 'a');
    store.changeAnswer('A', 'T4', { ...store.answer(), grade: '0' }, 'b');
    expect(store.undo()).toBe('a');
    expect(store.canUndo).toBe(false);
  });
});

describe('what is selected', () => {
  it('is the first vertebra that needs the reader', () => {
    const data = caseData();
    const content = withAnswer(data.content, 'A', 'T4', body(200, { grade: '0' }));
    expect(new Store({ ...data, content }).selection).toEqual({ side: 'A', level: 'T5' });
  });

  it('stays real when a level ceases to exist', () => {
    const store = new Store(caseData());
    store.select({ side: 'A', level: 'T12' });
    store.changeSpine('A', { ...store.spine('A')!, anatomy: 'eleven_thoracic' }, 'anatomy');
    expect(store.selection.level).toBe('T11');
  });
});
