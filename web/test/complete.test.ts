import { describe, expect, it } from 'vitest';
import { isOpen, problemOf, problemsOf } from '../src/complete.ts';
import { EMPTY_ANSWER, type Answer } from '../src/types.ts';
import { caseData, content } from './sample.ts';

const said = (more: Partial<Answer>): string => problemOf({ ...EMPTY_ANSWER, ...more });

describe('a complete answer', () => {
  it.each([
    [{}, 'no answer yet'],
    [{ grade: 'not_evaluable' }, 'not evaluable: say why'],
    [{ grade: 'not_evaluable', reason: 'other', note: '  ' }, 'not evaluable for another reason: write which'],
    [{ grade: 'not_evaluable', reason: 'other', note: 'metal' }, ''],
    [{ grade: 'not_evaluable', reason: 'obscured' }, ''],
    [{ grade: '0', reason: 'obscured' }, 'a reason for not evaluable, and yet a grade'],
    [{ grade: 'indeterminate' }, ''],
    [{ grade: '1' }, 'grade 1: say which shape'],
    [{ grade: '2', shape: 'wedge', cause: 'scheuermann' }, 'a cause other than fracture has grade 0, 0.5 or indeterminate'],
    [{ grade: '0.5' }, ''],
    [{ grade: '0.5', shape: 'wedge', cause: 'scheuermann' }, ''],
    [{ grade: '0', shape: 'crush' }, 'grade 0 has no shape of a fracture'],
    [{ grade: '3', shape: 'crush' }, ''],
  ] as [Partial<Answer>, string][])('%j: %s', (answer, words) => {
    expect(said(answer)).toBe(words);
  });

  it('is needed for T4-L4 of every side, in an adjudication where readers differ', () => {
    expect(problemsOf(caseData(), content())).toHaveLength(26);
    const data = caseData({ kind: 'adjudication', discordant: [['B', 'T7']] });
    expect(problemsOf(data, content())).toEqual([{ side: 'B', level: 'T7', words: 'no answer yet' }]);
    expect(isOpen(data, 'A', 'T7')).toBe(false);
    expect(isOpen(caseData({ state: 'signed' }), 'A', 'T7')).toBe(false);
  });
});
