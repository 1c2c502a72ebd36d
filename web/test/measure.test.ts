import { describe, expect, it } from 'vitest';
import { bodyFromNeighbours, deform, heightsOf, locate, percentChange, ratiosOf, withPoints } from '../src/measure.ts';
import { body, caseData, content, film, six } from './sample.ts';

describe('heights', () => {
  it('are taken in millimetres on anisotropic pixels', () => {
    const tilted = { ...six(500, 500), inf_ant: [500, 525] as const };
    const heights = heightsOf(tilted, film);
    expect(heights.a).toBeCloseTo(Math.hypot(30 * 0.4, 50 * 0.2));
    expect(heights.p).toBeCloseTo(10);
    expect(heights.mm).toBe(true);
  });

  it('have no millimetres without a scale, but ratios that know the aspect', () => {
    const bare = { ...film, spacing_mm: null, aspect: 2 };
    const heights = heightsOf(six(500, 500), bare);
    expect(heights.mm).toBe(false);
    expect(heights.p).toBeCloseTo(100);
    expect(ratiosOf(heights)).toEqual({ ap: 1, mp: 1 });
  });

  it('give no ratio for a body without height', () => {
    expect(ratiosOf({ a: 1, m: 1, p: 0, mm: true })).toBeNull();
    expect(percentChange(0, 3)).toBeNull();
    expect(percentChange(20, 15)).toBeCloseTo(-25);
  });
});

describe('the outline', () => {
  it('moves with the point that lies on it and stays at the far side', () => {
    const before = body(500);
    const points = { ...before.six_points!, sup_ant: [470, 485] as const };
    const after = deform(before.polygon, before.six_points!, points);
    expect(after[0]![1]).toBeCloseTo(485, 1);
    expect(after[3]).toEqual(before.polygon[3]);
  });

  it('does not add up while one drag goes on', () => {
    const start = body(500);
    const near = { ...start.six_points!, sup_ant: [470, 480] as const };
    const once = withPoints(start, start.six_points!, start);
    expect(withPoints(withPoints(start, near, start), start.six_points!, start).polygon).toEqual(once.polygon);
    expect(once.moved).toBe(true);
  });
});

describe('a vertebra without points', () => {
  const levels = caseData().levels['typical']!;
  const spine = content().sides.A!;
  const { T8: _gone, ...rest } = spine.vertebrae;
  const gap = { ...spine, vertebrae: rest };

  it('lies between its neighbours', () => {
    expect(locate(gap, levels, 'T8')).toEqual({ film: 'f1', at: [500, 600] });
    expect(locate(gap, levels, 'L5')).toBeNull();
  });

  it('gets a body of their size where the reader clicks', () => {
    const made = bodyFromNeighbours(gap, levels, 'T8', 'f1', [480, 610])!;
    expect(made.six_points!.sup_ant).toEqual([450, 585]);
    expect(made.polygon).toHaveLength(6);
    expect(bodyFromNeighbours(gap, levels, 'T8', 'other', [480, 610])).toBeNull();
  });
});
