import { describe, expect, it } from 'vitest';
import { shortGrade, shortSuggestion, suggestionFor } from '../src/suggest.ts';
import type { Suggestion } from '../src/types.ts';
import { body, caseData, six } from './sample.ts';

const of = (row: number, grade: string): Suggestion => ({
  grade, shape: grade === '0' ? 'none' : 'wedge', p: [0.1, 0.8, 0.1, 0], state: 'evaluable', reason: '', flagged: false,
  film: 'f1', six_points: six(500, row), polygon: [],
});

describe("the model's word", () => {
  const data = caseData({ model: { A: { T4: of(200, '0'), T5: of(300, '1') } } });

  it('belongs to the vertebra that lies there, whatever its name', () => {
    expect(suggestionFor(data, 'A', 'T4', body(305))?.grade).toBe('1');
    expect(suggestionFor(data, 'A', 'T9', body(900))).toBeNull();
  });

  it('goes by name where there are no points', () => {
    expect(suggestionFor(data, 'A', 'T5', { ...body(0), six_points: null, polygon: [] })?.grade).toBe('1');
  });

  it('is short', () => {
    expect(shortSuggestion(of(200, '1'))).toBe('1 wedge 80%');
    expect(shortSuggestion({ ...of(200, '1'), state: 'obscured' })).toBe('n.e.');
    expect(shortGrade('0', 'none')).toBe('0');
  });
});
