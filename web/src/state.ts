// The reading as it stands on this screen: content, what is selected, and the way back (undo).
// Content is never changed in place, so that undo, drafts and comparisons can hold on to it.
import { gradedLevels, problemsOf } from './complete.ts';
import { canonicalAnswer } from './draft.ts';
import type { Answer, CaseData, Content, Landmark, Level, SideKey, Spine } from './types.ts';
import { EMPTY_ANSWER } from './types.ts';

export interface Selection {
  readonly side: SideKey;
  readonly level: Level;
}

interface Step {
  readonly content: Content;
  readonly selection: Selection;
  readonly words: string;
}

export type Change = 'content' | 'preview' | 'selection' | 'case';
type Listener = (change: Change) => void;

const MOST_STEPS = 200;

export class Store {
  content: Content;
  version: number;
  selection: Selection;
  point: Landmark | null = null;
  private done: Step[] = [];
  private undone: Step[] = [];
  private readonly listeners: Listener[] = [];

  constructor(public data: CaseData) {
    this.content = data.content;
    this.version = data.version;
    this.selection = firstSelection(data, data.content);
  }

  on(listener: Listener): void {
    this.listeners.push(listener);
  }

  tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }

  get readOnly(): boolean {
    return this.data.state !== 'open';
  }

  spine(side: SideKey): Spine | undefined {
    return this.content.sides[side];
  }

  answer(side = this.selection.side, level = this.selection.level): Answer {
    return this.content.sides[side]?.vertebrae[level] ?? EMPTY_ANSWER;
  }

  /** A finished change: one step of undo, and something to save. */
  change(content: Content, words: string): void {
    if (content === this.content) return;
    this.remember(this.content, words);
    this.content = content;
    this.keepSelectionReal();
    this.tell('content');
  }

  changeSpine(side: SideKey, spine: Spine, words: string): void {
    this.change(withSpine(this.content, side, spine), words);
  }

  changeAnswer(side: SideKey, level: Level, answer: Answer, words: string): void {
    // The same answer once more is no step of undo and nothing to save.
    if (canonicalAnswer(answer) === canonicalAnswer(this.answer(side, level))) return;
    this.change(withAnswer(this.content, side, level, answer), words);
  }

  /** A change that is still going on (a drag): shown and drafted, not yet a step of undo. */
  preview(content: Content): void {
    this.content = content;
    this.tell('preview');
  }

  /** The drag is over; `before` is what undo returns to. */
  settle(before: Content, words: string): void {
    if (before === this.content) return;
    this.remember(before, words);
    this.tell('content');
  }

  select(selection: Selection): void {
    if (selection.side === this.selection.side && selection.level === this.selection.level) return;
    this.selection = selection;
    this.point = null;
    this.tell('selection');
  }

  /** To the first vertebra that needs the reader; nothing moves on the screen. */
  selectFirst(): void {
    this.selection = firstSelection(this.data, this.content);
  }

  selectPoint(point: Landmark | null): void {
    this.point = point;
    this.tell('selection');
  }

  /** What was taken back, in words; null when there is nothing. */
  undo(): string | null {
    return this.step(this.done, this.undone);
  }

  redo(): string | null {
    return this.step(this.undone, this.done);
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** Another state of the case from the server (after reveal): undo would lead out of it. */
  replaceCase(data: CaseData): void {
    this.data = data;
    this.content = data.content;
    this.version = data.version;
    this.done = [];
    this.undone = [];
    this.keepSelectionReal();
    this.tell('case');
  }

  private remember(content: Content, words: string): void {
    this.done.push({ content, selection: this.selection, words });
    if (this.done.length > MOST_STEPS) this.done.shift();
    this.undone = [];
  }

  private step(from: Step[], to: Step[]): string | null {
    const step = from.pop();
    if (!step) return null;
    to.push({ content: this.content, selection: this.selection, words: step.words });
    this.content = step.content;
    this.selection = step.selection;
    this.point = null;
    this.keepSelectionReal();
    this.tell('content');
    this.tell('selection');
    return step.words;
  }

  private keepSelectionReal(): void {
    const { side, level } = this.selection;
    const levels = gradedLevels(this.data, this.content, side);
    if (!levels.includes(level)) {
      this.selection = { side, level: nearestLevel(levels, level) };
      this.point = null;
    }
  }
}

export function withSpine(content: Content, side: SideKey, spine: Spine): Content {
  return { ...content, sides: { ...content.sides, [side]: spine } };
}

export function withAnswer(content: Content, side: SideKey, level: Level, answer: Answer): Content {
  const spine = content.sides[side];
  if (!spine) return content;
  return withSpine(content, side, {
    ...spine,
    vertebrae: { ...spine.vertebrae, [level]: answer },
  });
}

/** The first vertebra that needs the reader, or the first at all. */
function firstSelection(data: CaseData, content: Content): Selection {
  const problem = problemsOf(data, content)[0];
  if (problem) return { side: problem.side, level: problem.level };
  const side = data.sides[0]?.side ?? 'A';
  return { side, level: gradedLevels(data, content, side)[0] ?? 'T4' };
}

/** A level that exists: T13 and L5 lie just above or below the one that is nearest. */
export function nearestLevel(levels: readonly Level[], level: Level): Level {
  const order = (name: Level): number => (name[0] === 'C' ? 0 : name[0] === 'T' ? 7 : 20) + Number(name.slice(1));
  return [...levels].sort((one, two) => Math.abs(order(one) - order(level)) - Math.abs(order(two) - order(level)))[0] ?? level;
}
