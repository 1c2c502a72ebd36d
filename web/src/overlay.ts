// Outlines, points and names over a film, as SVG of our own: one layer a side, moved with every
// camera event. Colours, widths and dashes are those of the report (zoom_imaging/report/palette.py);
// what is not answered yet has a neutral line, so that no colour anticipates an answer.
import { gradedLevels, isOpen } from './complete.ts';
import { svg } from './dom.ts';
import { centreOf, outlineOf } from './measure.ts';
import type { Settings } from './settings.ts';
import type { Store } from './state.ts';
import { shortGrade } from './suggest.ts';
import type { Answer, Landmark, Level, Point } from './types.ts';
import { LANDMARKS } from './types.ts';
import type { FilmView } from './viewport.ts';

const WIDTHS: Readonly<Record<string, number>> = {
  '0': 1.4, '0.5': 2, '1': 2.6, '2': 3.2, '3': 3.8, indeterminate: 2, not_evaluable: 2,
};
const DASHES: Readonly<Record<string, string>> = {
  '0.5': '9 2 2 2', indeterminate: '9 2 2 2', not_evaluable: '6 4',
};
export const POINT_WORDS: Readonly<Record<Landmark, string>> = {
  sup_ant: 'superior anterior',
  sup_mid: 'superior middle',
  sup_post: 'superior posterior',
  inf_ant: 'inferior anterior',
  inf_mid: 'inferior middle',
  inf_post: 'inferior posterior',
};
const HIT_RADIUS = 13;

interface Body {
  readonly group: SVGGElement;
  readonly outline: SVGPathElement;
  readonly casing: SVGPathElement;
  readonly label: SVGTextElement;
}

export class Overlay {
  readonly root = svg('svg', { class: 'overlay', 'aria-hidden': 'true' });
  private readonly bodies = new Map<Level, Body>();
  private readonly bodyLayer = svg('g');
  private readonly readers = svg('g');
  private readonly points = svg('g', { class: 'points' });
  private readonly sketch = svg('g', { class: 'sketch' });
  private readonly circles = new Map<Landmark, { hit: SVGCircleElement; dot: SVGCircleElement }>();
  private frame = 0;
  /** Points clicked so far while a body is being placed. */
  placed: readonly Point[] = [];

  constructor(
    private readonly view: FilmView,
    private readonly store: Store,
    private readonly settings: Settings,
  ) {
    this.root.append(this.bodyLayer, this.readers, this.points, this.sketch);
    for (const name of LANDMARKS) this.addCircle(name);
    view.onMoved(() => this.draw());
  }

  /** Redraws before the next frame, once, however often it is asked. */
  soon(): void {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { side } = this.view.side;
    const spine = this.store.spine(side);
    const graded = gradedLevels(this.store.data, this.store.content, side);
    const seen = new Set<Level>();
    for (const [level, answer] of Object.entries(spine?.vertebrae ?? {})) {
      if (answer.film !== this.view.film.key || !centreOf(answer)) continue;
      seen.add(level);
      this.drawBody(level, answer, graded.includes(level));
    }
    for (const [level, body] of this.bodies) {
      if (seen.has(level)) continue;
      body.group.remove();
      this.bodies.delete(level);
    }
    this.drawReaders();
    this.drawPoints();
    this.drawSketch();
  }

  /** In an adjudication: where each reader drew the selected vertebra, if it was elsewhere. */
  private drawReaders(): void {
    const { data, selection } = this.store;
    const { side } = this.view.side;
    const shown = this.store.answer(side, selection.level);
    this.readers.replaceChildren(
      ...(this.settings.outlines ? (data.readers ?? []) : []).flatMap(({ content }, at) => {
        const answer = content.sides[side]?.vertebrae[selection.level];
        if (!answer || answer.film !== this.view.film.key || sameBody(answer, shown)) return [];
        const d = this.pathOf(answer);
        return d ? [svg('path', { d, class: at === 0 ? 'reader-outline' : 'reader-outline second' })] : [];
      }),
    );
  }

  private pathOf(answer: Answer): string {
    const ring = outlineOf(answer).map((point) => this.view.toView(point));
    return ring.length ? `M${ring.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z` : '';
  }

  private drawBody(level: Level, answer: Answer, graded: boolean): void {
    const body = this.bodies.get(level) ?? this.addBody(level);
    const { side } = this.view.side;
    const chosen = this.store.selection;
    const current = chosen.level === level;
    const ring = outlineOf(answer).map((point) => this.view.toView(point));
    const path = this.pathOf(answer);
    const grade = answer.grade ?? 'open';
    body.group.setAttribute(
      'class',
      `body${current ? ' current' : ''}${current && chosen.side === side ? ' active' : ''}${graded ? '' : ' beside'}`,
    );
    body.group.dataset['grade'] = graded ? grade : 'beside';
    body.casing.setAttribute('d', this.settings.outlines ? path : '');
    body.outline.setAttribute('d', this.settings.outlines ? path : '');
    body.outline.setAttribute('stroke-width', String(WIDTHS[grade] ?? 1.4));
    body.outline.setAttribute('stroke-dasharray', DASHES[grade] ?? '');
    this.drawLabel(body.label, level, answer, ring, graded);
  }

  private drawLabel(
    label: SVGTextElement,
    level: Level,
    answer: Answer,
    ring: readonly Point[],
    graded: boolean,
  ): void {
    if (!this.settings.labels) {
      label.textContent = '';
      return;
    }
    const said = graded && answer.grade !== null ? `${level}  ${shortGrade(answer.grade, answer.shape)}` : level;
    if (label.textContent !== said) label.textContent = said;
    // Beside the posterior wall there is room: the spinous processes are not what is read.
    const posterior = answer.six_points
      ? Math.sign(answer.six_points.sup_post[0] - answer.six_points.sup_ant[0]) || 1
      : 1;
    const xs = ring.map(([x]) => x);
    const ys = ring.map(([, y]) => y);
    const edge = posterior > 0 ? Math.max(...xs) + 12 : Math.min(...xs) - 12;
    label.setAttribute('x', edge.toFixed(1));
    label.setAttribute('y', ((Math.min(...ys) + Math.max(...ys)) / 2 + 4).toFixed(1));
    label.setAttribute('text-anchor', posterior > 0 ? 'start' : 'end');
  }

  private drawPoints(): void {
    const { side } = this.view.side;
    const { level } = this.store.selection;
    const answer = this.store.answer(side, level);
    const shown =
      this.settings.outlines && answer.film === this.view.film.key ? answer.six_points : null;
    const locked = !isOpen(this.store.data, side, level);
    this.points.setAttribute('class', locked ? 'points locked' : 'points');
    for (const [name, { hit, dot }] of this.circles) {
      const at = shown && this.view.toView(shown[name]);
      for (const circle of [hit, dot]) {
        circle.setAttribute('visibility', at ? 'visible' : 'hidden');
        if (!at) continue;
        circle.setAttribute('cx', at[0].toFixed(2));
        circle.setAttribute('cy', at[1].toFixed(2));
      }
      hit.dataset['level'] = level;
      const chosen = this.store.selection.side === side && this.store.point === name;
      dot.setAttribute('class', chosen ? 'dot chosen' : 'dot');
      dot.setAttribute('r', chosen ? '5.5' : '4');
    }
  }

  private drawSketch(): void {
    this.sketch.replaceChildren(
      ...this.placed.map((point, index) => {
        const [x, y] = this.view.toView(point);
        const name = svg('text', { x: x + 8, y: y - 6 });
        name.textContent = String(index + 1);
        const mark = svg('g');
        mark.append(svg('circle', { cx: x, cy: y, r: 4 }), name);
        return mark;
      }),
    );
  }

  private addBody(level: Level): Body {
    const { side } = this.view.side;
    const body: Body = {
      group: svg('g'),
      casing: svg('path', { class: 'casing' }),
      outline: svg('path', {
        class: 'outline',
        'data-testid': 'outline',
        'data-side': side,
        'data-level': level,
      }),
      label: svg('text', { 'data-testid': 'level-label', 'data-side': side, 'data-level': level }),
    };
    body.group.append(body.casing, body.outline, body.label);
    this.bodyLayer.append(body.group);
    this.bodies.set(level, body);
    return body;
  }

  private addCircle(name: Landmark): void {
    const { side } = this.view.side;
    const dot = svg('circle', { class: 'dot', r: 4 });
    const hit = svg('circle', {
      class: 'hit',
      r: HIT_RADIUS,
      'data-testid': 'point',
      'data-side': side,
      'data-point': name,
    });
    const words = svg('title');
    words.textContent = POINT_WORDS[name];
    hit.append(words);
    this.circles.set(name, { hit, dot });
    this.points.append(dot, hit);
  }
}

function sameBody(one: Answer, two: Answer): boolean {
  return JSON.stringify([one.six_points, one.polygon]) === JSON.stringify([two.six_points, two.polygon]);
}
