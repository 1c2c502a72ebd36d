// What the model says of the vertebra that the reader looks at. Its names may be others than the
// reader's (relabelled spines), so its bodies are matched by where they lie, not by name.
import { centreOf, outlineOf } from './measure.ts';
import type { Answer, CaseData, Level, SideKey, Suggestion } from './types.ts';

export function suggestionFor(
  data: CaseData,
  side: SideKey,
  level: Level,
  answer: Answer,
): Suggestion | null {
  const model = data.model?.[side];
  if (!model) return null;
  const middle = centreOf(answer);
  if (!middle) return model[level] ?? null;
  let best: Suggestion | null = null;
  let nearest = Infinity;
  for (const suggestion of Object.values(model)) {
    const at = suggestion.film === answer.film ? centreOf(suggestion) : null;
    if (!at) continue;
    const apart = Math.hypot(at[0] - middle[0], at[1] - middle[1]);
    if (apart < nearest) {
      nearest = apart;
      best = suggestion;
    }
  }
  if (best) return nearest < reach(best) ? best : null;
  return model[level] ?? null;
}

/** Half the height of the body: nearer than that, no other vertebra can be meant. */
function reach(suggestion: Suggestion): number {
  const rows = outlineOf(suggestion).map(([, row]) => row);
  return rows.length ? (Math.max(...rows) - Math.min(...rows)) / 2 : 0;
}

/** Grade and shape in a few letters, as the report writes them: `0`, `2 wedge`, `n.e.`. */
export function shortGrade(grade: string | null, shape: string): string {
  if (grade === null) return '–';
  if (grade === 'not_evaluable') return 'n.e.';
  if (grade === 'indeterminate') return 'indet.';
  return grade !== '0' && shape !== 'none' ? `${grade} ${shape}` : grade;
}

export function isEvaluable(suggestion: Suggestion): boolean {
  return suggestion.state === 'evaluable';
}

/** The model's word in short: grade, shape and how sure it is. */
export function shortSuggestion(suggestion: Suggestion): string {
  if (!isEvaluable(suggestion)) return 'n.e.';
  const words = shortGrade(suggestion.grade, suggestion.shape);
  const p = suggestion.p?.[Number(suggestion.grade)];
  return p === undefined ? words : `${words} ${percent(p)}`;
}

export function percent(share: number): string {
  const value = Math.round(share * 100);
  return value >= 100 && share < 1 ? '>99%' : `${value}%`;
}
