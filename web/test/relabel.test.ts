import { describe, expect, it } from 'vitest';
import { changeAnatomy, shift, type Renamed } from '../src/relabel.ts';
import type { Spine } from '../src/types.ts';
import { body, caseData, content } from './sample.ts';

const data = caseData();
const spine = content().sides.A!;
const spineOf = (renamed: Renamed): Spine => {
  if ('refusal' in renamed) throw new Error(renamed.refusal);
  return renamed.spine;
};

describe('names of a side', () => {
  it('shift with the answers of their vertebrae', () => {
    const answered: Spine = { ...spine, vertebrae: { ...spine.vertebrae, T12: body(1000, { grade: '1', shape: 'wedge' }) } };
    const down = spineOf(shift(data, answered, 1));
    expect(down.vertebrae['L1']).toBe(answered.vertebrae['T12']);
    expect(down.vertebrae['L5']).toBe(answered.vertebrae['L4']);
    expect(down.vertebrae['T4']).toBeUndefined();
    expect(spineOf(shift(data, down, -1))).toEqual(answered);
  });

  it('never push an answer out of the spine', () => {
    const answered = { ...spine, vertebrae: { ...spine.vertebrae, S1: body(2000, { grade: '0' }) } };
    const renamed = shift(data, answered, 1);
    expect(renamed).toHaveProperty('refusal', expect.stringContaining('S1'));
  });

  it('leave out an outline that nobody touched, and say so', () => {
    const outlined = { ...spine, vertebrae: { ...spine.vertebrae, S1: body(2000) } };
    const renamed = shift(data, outlined, 1);
    expect(renamed).toHaveProperty('words', expect.stringContaining('S1'));
    expect(spineOf(renamed).vertebrae['S1']).toBeUndefined();
  });
});

describe('another anatomy', () => {
  it('names from the top down and keeps the topmost name', () => {
    const thirteen = spineOf(changeAnatomy(data, spine, 'thirteen_thoracic'));
    expect(thirteen.vertebrae['T4']).toBe(spine.vertebrae['T4']);
    expect(thirteen.vertebrae['T13']).toBe(spine.vertebrae['L1']);
    expect(thirteen.vertebrae['L3']).toBe(spine.vertebrae['L4']);
    expect(spineOf(changeAnatomy(data, thirteen, 'typical'))).toEqual(spine);
  });

  it('keeps gaps', () => {
    const { T9: _gone, ...rest } = spine.vertebrae;
    const eleven = spineOf(changeAnatomy(data, { ...spine, vertebrae: rest }, 'eleven_thoracic'));
    expect(eleven.vertebrae['T9']).toBeUndefined();
    expect(eleven.vertebrae['L1']).toBe(spine.vertebrae['T12']);
    expect(eleven.vertebrae['L5']).toBe(spine.vertebrae['L4']);
  });

  it('begins at the nearest name above where the topmost does not exist', () => {
    const lumbar = { ...spine, vertebrae: { T12: spine.vertebrae['T12']!, L1: spine.vertebrae['L1']! } };
    const eleven = spineOf(changeAnatomy(data, lumbar, 'eleven_thoracic'));
    expect(Object.keys(eleven.vertebrae)).toEqual(['T11', 'L1']);
  });

  it('refuses a kind that it does not know', () => {
    expect(changeAnatomy(data, spine, 'seven_cervical')).toHaveProperty('refusal');
  });
});
