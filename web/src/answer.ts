// What the reader says of the selected vertebra, one function a key or button. Each keeps the answer
// free of contradictions where that loses nothing, and refuses with a sentence where it would.
import { gradedLevels, isOpen, problemOf, problemsOf } from './complete.ts';
import { keyOf, type ActionId } from './keys.ts';
import { centreOf } from './measure.ts';
import type { Notices } from './notice.ts';
import type { Settings } from './settings.ts';
import { withSpine, type Selection, type Store } from './state.ts';
import { isEvaluable, shortGrade, suggestionFor } from './suggest.ts';
import type { Answer, Content, Grade, Level, Shape } from './types.ts';
import { EMPTY_ANSWER } from './types.ts';

export class Answers {
  /** A digit that comes now is a reason or a cause, not a grade. */
  awaiting: 'reason' | 'cause' | null = null;

  constructor(
    private readonly store: Store,
    private readonly settings: Settings,
    private readonly notices: Notices,
    private readonly go: (selection: Selection) => void,
    private readonly focusNote: () => void,
  ) {}

  /** Whether the selected vertebra may be answered; says why not. */
  may(): boolean {
    const { data, selection } = this.store;
    if (this.store.readOnly) {
      this.notices.say('signed: nothing can be changed', 'warn');
      return false;
    }
    if (!isOpen(data, selection.side, selection.level)) {
      this.notices.say(`${selection.level}: both readers agree; it is shown, not answered`, 'warn');
      return false;
    }
    return true;
  }

  grade(grade: Grade): void {
    if (!this.may()) return;
    const before = this.store.answer();
    const answer: Answer = { ...before, grade };
    const number = Number(grade);
    if (grade === 'not_evaluable') {
      this.awaiting = before.reason ? null : 'reason';
      this.put({ ...answer, shape: 'none', signs: [], cause: null }, 'not evaluable');
      return;
    }
    this.awaiting = null;
    this.put(
      {
        ...answer,
        reason: null,
        shape: grade === '0' ? 'none' : before.shape,
        cause: number >= 1 ? null : before.cause,
      },
      `grade ${shortGrade(grade, before.shape)}`,
    );
  }

  shape(shape: Shape): void {
    if (!this.may()) return;
    const before = this.store.answer();
    if (before.grade === '0' || before.grade === 'not_evaluable') {
      const words = before.grade === '0' ? 'grade 0' : 'not evaluable';
      this.notices.say(`${words} has no shape of a fracture: grade it first`, 'warn');
      return;
    }
    const fractured = Number(before.grade ?? 0) >= 1;
    const next = before.shape === shape && !fractured ? 'none' : shape;
    this.put({ ...before, shape: next }, next === 'none' ? 'no shape' : next);
  }

  reason(code: string): void {
    if (!this.may()) return;
    this.awaiting = null;
    const answer = this.store.answer();
    this.put(
      { ...answer, grade: 'not_evaluable', reason: code, shape: 'none', signs: [], cause: null },
      `not evaluable: ${this.words('reason', code)}`,
    );
    if (code === 'other' && answer.note.trim() === '') this.focusNote();
  }

  /** One sign on or off; never a reason to go on, readers set several. */
  sign(code: string): void {
    if (!this.may()) return;
    const before = this.store.answer();
    if (before.grade === 'not_evaluable') {
      this.notices.say('not evaluable: no signs', 'warn');
      return;
    }
    const on = !before.signs.includes(code);
    const order = this.store.data.codes.sign.map(([name]) => name);
    const signs = order.filter((name) => (name === code ? on : before.signs.includes(name)));
    this.put({ ...before, signs }, `${this.words('sign', code)} ${on ? 'seen' : 'not seen'}`, false);
  }

  cause(code: string | null): void {
    if (!this.may()) return;
    this.awaiting = null;
    const before = this.store.answer();
    if (code !== null && Number(before.grade ?? 0) >= 1) {
      this.notices.say('a cause other than fracture has grade 0, 0.5 or indeterminate', 'warn');
      return;
    }
    if (code !== null && before.grade === 'not_evaluable') {
      this.notices.say('not evaluable: the reason is enough', 'warn');
      return;
    }
    this.put({ ...before, cause: code }, code ? this.words('cause', code) : 'no other cause', false);
  }

  askCause(): void {
    if (!this.may()) return;
    this.awaiting = 'cause';
    this.notices.say('cause other than fracture: 1–9, 0 for none');
    this.store.tell('selection');
  }

  /** A digit while a reason or a cause is awaited; false if it means nothing. */
  digit(digit: number): boolean {
    const kind = this.awaiting;
    if (!kind) return false;
    if (kind === 'cause' && digit === 0) {
      this.cause(null);
      return true;
    }
    const code = this.store.data.codes[kind][digit - 1]?.[0];
    if (!code) return false;
    if (kind === 'reason') this.reason(code);
    else this.cause(code);
    return true;
  }

  /** Everything said of the vertebra away, its points stay. */
  clear(): void {
    if (!this.may()) return;
    this.awaiting = null;
    const { film, six_points, polygon, moved } = this.store.answer();
    this.put({ ...EMPTY_ANSWER, film, six_points, polygon, moved }, 'answer cleared', false);
  }

  /** Asks, then gives grade 0 to what is unanswered and not flagged on this side. */
  normals(): void {
    const { data } = this.store;
    const { side } = this.store.selection;
    if (this.store.readOnly || data.kind === 'adjudication') {
      this.notices.say('not in this reading', 'warn');
      return;
    }
    const { take, left } = this.unflagged();
    const title = data.sides.find((films) => films.side === side)?.title ?? side;
    if (take.length === 0) {
      this.notices.say(`${title}: nothing to set${left.length ? `; flagged or not outlined: ${left.join(', ')}` : ''}`);
      return;
    }
    const rest = left.length ? ` Left open (flagged or not outlined): ${left.join(', ')}.` : '';
    this.notices.ask(`${title}: grade 0 for ${take.join(', ')}?${rest}`, () => {
      // What was answered meanwhile stays.
      const levels = this.unflagged(side).take.filter((level) => take.includes(level));
      const spine = this.store.spine(side)!;
      const vertebrae = { ...spine.vertebrae };
      for (const level of levels) {
        vertebrae[level] = { ...(vertebrae[level] ?? EMPTY_ANSWER), grade: '0', reason: null, shape: 'none' };
      }
      const content: Content = withSpine(this.store.content, side, { ...spine, vertebrae });
      this.store.change(content, `grade 0 for ${levels.length} vertebrae`);
      this.notices.say(`${title}: grade 0 for ${levels.length} vertebrae`);
    });
  }

  private unflagged(side = this.store.selection.side): { take: Level[]; left: Level[] } {
    const { data, content } = this.store;
    const take: Level[] = [];
    const left: Level[] = [];
    for (const level of gradedLevels(data, content, side)) {
      const answer = this.store.answer(side, level);
      if (answer.grade !== null) continue;
      const model = suggestionFor(data, side, level, answer);
      // Where the model's word is known, what it flags or could not see needs the reader's eye.
      const open = data.model !== null && (!model || model.flagged || !isEvaluable(model) || !centreOf(answer));
      (open ? left : take).push(level);
    }
    return { take, left };
  }

  /** The next vertebra that needs the reader; says so when there is none. */
  next(): void {
    const { data, content, selection } = this.store;
    const problems = problemsOf(data, content);
    if (problems.length === 0) {
      this.notices.say(`everything is answered: ${keyOf('finish')} to finish`);
      return;
    }
    const order = this.order();
    const here = order.findIndex((at) => at.side === selection.side && at.level === selection.level);
    const open = (at: Selection): boolean => problems.some((p) => p.side === at.side && p.level === at.level);
    const found = [...order.slice(here + 1), ...order.slice(0, here + 1)].find(open);
    if (found) this.go(found);
  }

  private order(): readonly Selection[] {
    const { data, content } = this.store;
    const all = data.sides.flatMap(({ side }) =>
      gradedLevels(data, content, side).map((level): Selection => ({ side, level })),
    );
    if (this.settings.advance !== 'pair') return all;
    const names = data.sides.flatMap(({ side }) => data.levels[content.sides[side]?.anatomy ?? ''] ?? []);
    const rank = (level: Level): number => names.indexOf(level);
    return [...all].sort((one, two) => rank(one.level) - rank(two.level) || one.side.localeCompare(two.side));
  }

  private put(answer: Answer, words: string, advance = true): void {
    const { side, level } = this.store.selection;
    this.store.changeAnswer(side, level, answer, `${level} ${words}`);
    this.announce(level, words, answer);
    if (advance && problemOf(answer) === '' && this.settings.advance !== 'off') this.next();
  }

  /** After taking a whole answer (adjudication) or writing a note. */
  moveOn(): void {
    if (this.settings.advance !== 'off' && problemOf(this.store.answer()) === '') this.next();
  }

  private announce(level: Level, words: string, answer: Answer): void {
    const problem = problemOf(answer);
    let hint = '';
    if (this.awaiting === 'reason') hint = ': 1–9 says why';
    else if (problem.endsWith('which shape')) {
      const shapes = (['wedge', 'biconcave', 'crush'] as const satisfies readonly ActionId[]).map((id) => `${keyOf(id)} ${id}`);
      hint = `: which shape? ${shapes.join(', ')}`;
    }
    this.notices.say(`${level} ${words}${hint}`);
  }

  words(kind: 'reason' | 'sign' | 'cause', code: string): string {
    return this.store.data.codes[kind].find(([name]) => name === code)?.[1] ?? code;
  }
}
