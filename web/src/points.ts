// Moving, placing and removing the six points of the selected vertebra.
import type { Answers } from './answer.ts';
import { allLevels } from './complete.ts';
import { keyOf } from './keys.ts';
import { bodyFromNeighbours, withPoints } from './measure.ts';
import type { Notices } from './notice.ts';
import { POINT_WORDS } from './overlay.ts';
import { withAnswer, type Selection, type Store } from './state.ts';
import type { Answer, Content, Landmark, Point, SixPoints } from './types.ts';
import { LANDMARKS } from './types.ts';
import type { FilmView } from './viewport.ts';

interface Drag {
  readonly at: Selection;
  readonly name: Landmark;
  readonly before: Content;
  readonly from: Answer;
  /** From the pointer to the point, so that a point does not jump to the pointer. */
  readonly offset: Point;
}

export interface Placing {
  readonly at: Selection;
  readonly mode: 'body' | 'six';
  readonly clicked: readonly Point[];
}

export class Points {
  placing: Placing | null = null;
  private drag: Drag | null = null;

  constructor(
    private readonly store: Store,
    private readonly answers: Answers,
    private readonly notices: Notices,
    private readonly shown: () => void,
  ) {}

  get dragging(): boolean {
    return this.drag !== null;
  }

  /** Takes hold of a point of the selected vertebra; `at` is where the pointer is, on the film. */
  take(view: FilmView, name: Landmark, at: Point): boolean {
    if (!this.answers.may()) return false;
    const from = this.store.answer();
    const point = from.six_points?.[name];
    if (!point || from.film !== view.film.key) return false;
    this.drag = {
      at: this.store.selection,
      name,
      before: this.store.content,
      from,
      offset: [point[0] - at[0], point[1] - at[1]],
    };
    this.store.selectPoint(name);
    return true;
  }

  dragTo(view: FilmView, at: Point): void {
    const drag = this.drag;
    if (!drag) return;
    const point = within(view, [at[0] + drag.offset[0], at[1] + drag.offset[1]]);
    const after = { ...drag.from.six_points!, [drag.name]: point };
    const answer = withPoints(drag.from, after);
    this.store.preview(withAnswer(this.store.content, drag.at.side, drag.at.level, answer));
  }

  release(): void {
    const drag = this.drag;
    if (!drag) return;
    this.drag = null;
    const words = `${drag.at.level} ${POINT_WORDS[drag.name]} moved`;
    if (this.store.content !== drag.before) {
      this.store.settle(drag.before, words);
      this.notices.say(words);
    }
  }

  /** Arrow keys: one film pixel a press, ten with Shift. */
  nudge(view: FilmView, dx: number, dy: number): void {
    const name = this.store.point;
    if (!name || !this.answers.may()) return;
    const answer = this.store.answer();
    const six = answer.six_points;
    if (!six) return;
    const point = within(view, [six[name][0] + dx, six[name][1] + dy]);
    const { side, level } = this.store.selection;
    const moved = withPoints(answer, { ...six, [name]: point });
    this.store.changeAnswer(side, level, moved, `${level} ${POINT_WORDS[name]} moved`);
  }

  next(by: 1 | -1): void {
    if (!this.store.answer().six_points) {
      this.notices.say(`no points: ${keyOf('place')} places them`, 'warn');
      return;
    }
    const at = this.store.point ? LANDMARKS.indexOf(this.store.point) : by > 0 ? -1 : 0;
    const name = LANDMARKS[(at + by + LANDMARKS.length) % LANDMARKS.length]!;
    this.store.selectPoint(name);
    this.notices.say(`${POINT_WORDS[name]}: arrows move it`);
  }

  /** The key P: a click places a body; P again: six clicks. */
  startPlacing(view: FilmView): void {
    if (!this.answers.may()) return;
    const { selection } = this.store;
    if (this.store.answer().six_points) {
      this.notices.say(`${selection.level} has points; ${keyOf('removePoints')} removes them`, 'warn');
      return;
    }
    const sized = this.body(view, [0, 0]) !== null;
    const six = this.placing?.mode === 'body' || !sized;
    this.placing = { at: selection, mode: six ? 'six' : 'body', clicked: [] };
    this.notices.say(
      six
        ? `${selection.level}: click ${POINT_WORDS.sup_ant} (1 of 6; Esc leaves)`
        : `${selection.level}: click its middle; ${keyOf('place')} again for six clicks, Esc leaves`,
    );
    this.shown();
  }

  stopPlacing(): void {
    if (!this.placing) return;
    this.placing = null;
    this.shown();
  }

  /** A click on the film while placing. */
  click(view: FilmView, at: Point): void {
    const placing = this.placing;
    if (!placing) return;
    if (view.side.side !== placing.at.side) {
      this.notices.say(`click on the other film, where ${placing.at.level} is placed`, 'warn');
      return;
    }
    const point = within(view, at);
    if (placing.mode === 'body') {
      const body = this.body(view, point);
      if (body) this.put(view, body);
      return;
    }
    const clicked = [...placing.clicked, point];
    const name = LANDMARKS[clicked.length];
    if (name) {
      this.placing = { ...placing, clicked };
      this.notices.say(`${placing.at.level}: click ${POINT_WORDS[name]} (${clicked.length + 1} of 6)`);
      this.shown();
      return;
    }
    const six = Object.fromEntries(LANDMARKS.map((mark, index) => [mark, clicked[index]!]));
    this.put(view, { six_points: six as unknown as SixPoints, polygon: [] });
  }

  remove(): void {
    if (!this.answers.may()) return;
    const { side, level } = this.store.selection;
    const answer = this.store.answer();
    if (!answer.six_points && answer.polygon.length === 0) return;
    this.store.selectPoint(null);
    const bare: Answer = { ...answer, film: '', six_points: null, polygon: [], moved: true };
    this.store.changeAnswer(side, level, bare, `${level} points removed`);
    this.notices.say(`${level} points removed`);
  }

  private body(view: FilmView, at: Point): Pick<Answer, 'six_points' | 'polygon'> | null {
    const { side, level } = this.store.selection;
    const spine = this.store.spine(side);
    if (!spine) return null;
    const levels = allLevels(this.store.data, this.store.content, side);
    return bodyFromNeighbours(spine, levels, level, view.film.key, at);
  }

  private put(view: FilmView, body: Pick<Answer, 'six_points' | 'polygon'>): void {
    const { side, level } = this.store.selection;
    this.placing = null;
    const answer: Answer = { ...this.store.answer(), ...body, film: view.film.key, moved: true };
    this.store.changeAnswer(side, level, answer, `${level} points placed`);
    this.notices.say(`${level} points placed: drag them to the endplates`);
    this.shown();
  }
}

function within(view: FilmView, [column, row]: Point): Point {
  const { rows, columns } = view.film;
  return [Math.min(Math.max(column, 0), columns - 1), Math.min(Math.max(row, 0), rows - 1)];
}
