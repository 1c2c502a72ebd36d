// Naming the vertebrae of a side anew. An answer belongs to the vertebra that was looked at, so it
// travels with its outline; a name alone is what changes.
import type { Answer, CaseData, Level, Spine } from './types.ts';

export type Renamed = { readonly spine: Spine; readonly words: string } | { readonly refusal: string };

/** Whether the reader (not the model) has put anything into this answer. */
export function isSaid(answer: Answer): boolean {
  return (
    answer.grade !== null ||
    answer.reason !== null ||
    answer.note.trim() !== '' ||
    answer.shape !== 'none' ||
    answer.signs.length > 0 ||
    answer.cause !== null ||
    answer.moved
  );
}

/** Every name one level up (-1, towards the head) or down (+1). */
export function shift(data: CaseData, spine: Spine, by: -1 | 1): Renamed {
  const levels = data.levels[spine.anatomy] ?? [];
  const renamed = rename(spine, levels, levels, by);
  if ('refusal' in renamed) return renamed;
  const words = `all names of this side one level ${by < 0 ? 'up' : 'down'}`;
  return { spine: renamed.spine, words: words + renamed.words };
}

/** Another count of vertebrae: the topmost name stays, the others follow from the top down. */
export function changeAnatomy(data: CaseData, spine: Spine, anatomy: string): Renamed {
  const before = data.levels[spine.anatomy] ?? [];
  const after = data.levels[anatomy];
  if (!after) return { refusal: `unknown anatomy ${anatomy}` };
  const top = before.findIndex((level) => spine.vertebrae[level] !== undefined);
  let by = 0;
  if (top >= 0) {
    // T12 may not exist in the new spine: then the name above it is the nearest that does.
    let kept = top;
    while (kept > 0 && !after.includes(before[kept]!)) kept -= 1;
    by = after.indexOf(before[kept]!) - top;
  }
  const renamed = rename(spine, before, after, by);
  if ('refusal' in renamed) return renamed;
  const words = (data.codes.anatomy.find(([code]) => code === anatomy) ?? [anatomy, anatomy])[1];
  return { spine: { ...renamed.spine, anatomy }, words: words + renamed.words };
}

function rename(
  spine: Spine,
  before: readonly Level[],
  after: readonly Level[],
  by: number,
): Renamed {
  const vertebrae: Record<Level, Answer> = {};
  const dropped: Level[] = [];
  for (const [index, level] of before.entries()) {
    const answer = spine.vertebrae[level];
    if (!answer) continue;
    const name = after[index + by];
    if (name !== undefined) {
      vertebrae[name] = answer;
    } else if (isSaid(answer)) {
      return { refusal: `${level} is answered and would get no name: nothing was changed` };
    } else {
      dropped.push(level);
    }
  }
  // An outline that no reader touched may run out of names; undo brings it back.
  const words = dropped.length ? `; outline without a name left out: ${dropped.join(', ')}` : '';
  return { spine: { ...spine, vertebrae }, words };
}
