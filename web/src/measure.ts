// Heights of a vertebral body from its six points, and how an outline follows them. Definitions as
// zoom_imaging/morphometry/heights.py: Ha, Hm, Hp are the distances of the endplates at the
// anterior border, in the middle and at the posterior border, in millimetres before any ratio.
import type { Answer, Film, Level, Point, SixPoints, Spine } from './types.ts';
import { LANDMARKS } from './types.ts';

export interface Heights {
  readonly a: number;
  readonly m: number;
  readonly p: number;
  /** False where the film has no scale: then only ratios mean anything. */
  readonly mm: boolean;
}

/** [row, column] size of a pixel in mm, or in units of its width where there is no scale. */
export function pixelSize(film: Film): readonly [number, number] {
  return film.spacing_mm ?? [film.aspect || 1, 1];
}

export function heightsOf(points: SixPoints, film: Film): Heights {
  const [row, column] = pixelSize(film);
  const apart = (from: Point, to: Point): number =>
    Math.hypot((from[0] - to[0]) * column, (from[1] - to[1]) * row);
  return {
    a: apart(points.sup_ant, points.inf_ant),
    m: apart(points.sup_mid, points.inf_mid),
    p: apart(points.sup_post, points.inf_post),
    mm: film.spacing_mm !== null,
  };
}

/** Mean length of both endplates: it stays when a vertebra collapses, so it tells the scale. */
export function widthOf(points: SixPoints, film: Film): number {
  const [row, column] = pixelSize(film);
  const apart = (from: Point, to: Point): number =>
    Math.hypot((from[0] - to[0]) * column, (from[1] - to[1]) * row);
  return (apart(points.sup_ant, points.sup_post) + apart(points.inf_ant, points.inf_post)) / 2;
}

/** Ha/Hp and Hm/Hp; null where the posterior height is not above zero. */
export function ratiosOf(heights: Heights): { ap: number; mp: number } | null {
  if (!(heights.a > 0 && heights.m > 0 && heights.p > 0)) return null;
  return { ap: heights.a / heights.p, mp: heights.m / heights.p };
}

/** Change in percent from the first value to the second. */
export function percentChange(first: number, second: number): number | null {
  return first > 0 && Number.isFinite(second) ? (second / first - 1) * 100 : null;
}

/** Where the middle of a body lies; null without points and outline. */
export function centreOf(body: Pick<Answer, 'six_points' | 'polygon'>): Point | null {
  const points = body.six_points ? LANDMARKS.map((name) => body.six_points![name]) : body.polygon;
  if (points.length === 0) return null;
  return mean(points);
}

/** The outline to draw: the polygon, or the six points in order around the body. */
export function outlineOf(body: Pick<Answer, 'six_points' | 'polygon'>): readonly Point[] {
  if (body.polygon.length > 2) return body.polygon;
  return body.six_points ? ring(body.six_points) : [];
}

/** The six points in order around the body. */
export function ring(six: SixPoints): readonly Point[] {
  return [six.sup_ant, six.sup_mid, six.sup_post, six.inf_post, six.inf_mid, six.inf_ant];
}

/**
 * The outline after its points moved: each vertex follows the points near it, by inverse squared
 * distance, so that a vertex on a point moves as the point does and the far side stays.
 */
export function deform(
  polygon: readonly Point[],
  before: SixPoints,
  after: SixPoints,
): readonly Point[] {
  const shifts = LANDMARKS.map((name) => ({
    at: before[name],
    by: [after[name][0] - before[name][0], after[name][1] - before[name][1]] as const,
  }));
  return polygon.map(([column, row]): Point => {
    let total = 0;
    let dx = 0;
    let dy = 0;
    for (const { at, by } of shifts) {
      const weight = 1 / ((column - at[0]) ** 2 + (row - at[1]) ** 2 + 1e-6);
      total += weight;
      dx += weight * by[0];
      dy += weight * by[1];
    }
    return rounded([column + dx / total, row + dy / total]);
  });
}

/** The same body with its points moved, the outline after them. */
export function withPoints(body: Answer, after: SixPoints, from: Answer = body): Answer {
  const polygon =
    from.six_points && from.polygon.length > 0
      ? deform(from.polygon, from.six_points, after)
      : from.polygon;
  return { ...body, six_points: roundedSix(after), polygon, moved: true };
}

/**
 * A body for a vertebra without one: as large and as tilted as its nearest neighbours, its middle
 * where the reader clicked. Null where no neighbour on the film has points.
 */
export function bodyFromNeighbours(
  spine: Spine,
  levels: readonly Level[],
  level: Level,
  film: string,
  centre: Point,
): Pick<Answer, 'six_points' | 'polygon'> | null {
  const near = nearest(spine, levels, level, film);
  const models = [near.above, near.below].filter((body) => body !== null);
  const first = models[0];
  if (!first) return null;
  const six = Object.fromEntries(
    LANDMARKS.map((name) => {
      const offsets = models.map((body): Point => {
        const middle = centreOf(body)!;
        const at = body.six_points![name];
        return [at[0] - middle[0], at[1] - middle[1]];
      });
      const offset = mean(offsets);
      return [name, rounded([centre[0] + offset[0], centre[1] + offset[1]])];
    }),
  ) as Record<keyof SixPoints, Point>;
  return { six_points: six, polygon: deform(first.polygon, first.six_points!, six) };
}

/** About where a vertebra lies: its own middle, else between its neighbours; null if unknown. */
export function locate(
  spine: Spine,
  levels: readonly Level[],
  level: Level,
): { film: string; at: Point } | null {
  const own = spine.vertebrae[level];
  const middle = own && centreOf(own);
  if (own && middle) return { film: own.film, at: middle };
  const index = levels.indexOf(level);
  const placed = levels
    .map((name, at) => ({ at, body: spine.vertebrae[name] }))
    .filter(({ body }) => body && centreOf(body) !== null) as { at: number; body: Answer }[];
  const above = placed.filter(({ at }) => at < index).at(-1);
  const below = placed.find(({ at, body }) => at > index && (!above || body.film === above.body.film));
  if (!above || !below) return null;
  const from = centreOf(above.body)!;
  const to = centreOf(below.body)!;
  const share = (index - above.at) / (below.at - above.at);
  return {
    film: above.body.film,
    at: [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])],
  };
}

function nearest(
  spine: Spine,
  levels: readonly Level[],
  level: Level,
  film: string,
): { above: Answer | null; below: Answer | null } {
  const index = levels.indexOf(level);
  const usable = (name: Level): Answer | null => {
    const body = spine.vertebrae[name];
    return body?.six_points && body.film === film ? body : null;
  };
  let above: Answer | null = null;
  let below: Answer | null = null;
  for (let at = index - 1; at >= 0 && !above; at -= 1) above = usable(levels[at]!);
  for (let at = index + 1; at < levels.length && !below; at += 1) below = usable(levels[at]!);
  return { above, below };
}

function mean(points: readonly Point[]): Point {
  let x = 0;
  let y = 0;
  for (const [column, row] of points) {
    x += column;
    y += row;
  }
  return [x / points.length, y / points.length];
}

/** A hundredth of a pixel is all that a hand can mean. */
export function rounded([column, row]: Point): Point {
  return [Math.round(column * 100) / 100, Math.round(row * 100) / 100];
}

function roundedSix(six: SixPoints): SixPoints {
  return Object.fromEntries(LANDMARKS.map((name) => [name, rounded(six[name])])) as unknown as SixPoints;
}
