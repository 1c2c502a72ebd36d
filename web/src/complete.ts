// When a vertebra counts as answered: the same rules, in the same order and words, as
// `VertebraAnswer.problem` of zoom_imaging/review/answer.py. The server decides; this copy only
// tells the reader at once.
import type { Answer, CaseData, Content, Level, SideKey } from './types.ts';
import { EMPTY_ANSWER } from './types.ts';

export interface Problem {
  readonly side: SideKey;
  readonly level: Level;
  readonly words: string;
}

/** What is missing or contradictory; "" if nothing is. */
export function problemOf(answer: Answer): string {
  if (answer.grade === null) return 'no answer yet';
  if (answer.grade === 'not_evaluable') {
    if (answer.reason === null) return 'not evaluable: say why';
    if (answer.reason === 'other' && answer.note.trim() === '') {
      return 'not evaluable for another reason: write which';
    }
    return '';
  }
  if (answer.reason !== null) return 'a reason for not evaluable, and yet a grade';
  if (answer.grade === 'indeterminate') return '';
  const fractured = Number(answer.grade) >= 1;
  if (fractured && answer.shape === 'none') return `grade ${answer.grade}: say which shape`;
  if (fractured && answer.cause !== null) {
    return 'a cause other than fracture has grade 0, 0.5 or indeterminate';
  }
  if (answer.grade === '0' && answer.shape !== 'none') return 'grade 0 has no shape of a fracture';
  return '';
}

/** The answer for a level; an empty one where nothing was said. */
export function answerOf(content: Content, side: SideKey, level: Level): Answer {
  return content.sides[side]?.vertebrae[level] ?? EMPTY_ANSWER;
}

/** The levels of a side that need an answer, from the top down. */
export function gradedLevels(data: CaseData, content: Content, side: SideKey): readonly Level[] {
  const spine = content.sides[side];
  return spine ? (data.graded[spine.anatomy] ?? []) : [];
}

/** Every level of a side, from the top down. */
export function allLevels(data: CaseData, content: Content, side: SideKey): readonly Level[] {
  const spine = content.sides[side];
  return spine ? (data.levels[spine.anatomy] ?? []) : [];
}

/** Whether this reading may answer the level: an adjudicator answers only where readers differ. */
export function isOpen(data: CaseData, side: SideKey, level: Level): boolean {
  if (data.state !== 'open') return false;
  if (data.kind !== 'adjudication') return true;
  return (data.discordant ?? []).some(([s, l]) => s === side && l === level);
}

/** Every level that still needs this reader, side by side, from the top down. */
export function problemsOf(data: CaseData, content: Content): readonly Problem[] {
  const found: Problem[] = [];
  for (const { side } of data.sides) {
    for (const level of gradedLevels(data, content, side)) {
      if (data.kind === 'adjudication' && !isDiscordant(data, side, level)) continue;
      const words = problemOf(answerOf(content, side, level));
      if (words) found.push({ side, level, words });
    }
  }
  return found;
}

function isDiscordant(data: CaseData, side: SideKey, level: Level): boolean {
  return (data.discordant ?? []).some(([s, l]) => s === side && l === level);
}

/** How many levels need an answer from this reader. */
export function neededCount(data: CaseData, content: Content): number {
  if (data.kind === 'adjudication') return (data.discordant ?? []).length;
  return data.sides.reduce((sum, { side }) => sum + gradedLevels(data, content, side).length, 0);
}
