// The same reading was saved elsewhere: another tab, or a draft of an older version. Every vertebra
// that differs is shown with both answers; the reader chooses, and undo still knows the other.
import { inWords } from './adjudicate.ts';
import { button, el } from './dom.ts';
import { canonicalAnswer } from './draft.ts';
import type { Answer, CaseData, Content, Level, SideKey, Spine } from './types.ts';
import { EMPTY_ANSWER } from './types.ts';

/** One thing that differs; taking theirs changes `content` by `take`. */
export interface Difference {
  readonly name: string;
  readonly mine: string;
  readonly theirs: string;
  readonly take: (content: Content) => Content;
  /** An answer beats none and a moved point beats a suggested one; else what is on this screen. */
  readonly prefer?: 'theirs';
}

export function differences(data: CaseData, mine: Content, theirs: Content): readonly Difference[] {
  const found: Difference[] = [];
  for (const { side, title } of data.sides) {
    const one = mine.sides[side];
    const two = theirs.sides[side];
    if (!one || !two) {
      if (one || two) {
        found.push({ name: title, mine: one ? 'answers' : 'nothing', theirs: two ? 'answers' : 'nothing', take: (content) => swapSide(content, side, two) });
      }
      continue;
    }
    if (one.anatomy !== two.anatomy) {
      // Names mean other vertebrae in another anatomy: such a side is taken whole.
      const count = (spine: Spine): string => `${spine.anatomy}, ${Object.values(spine.vertebrae).filter(({ grade }) => grade !== null).length} answers`;
      found.push({ name: `${title}: whole side`, mine: count(one), theirs: count(two), take: (content) => swapSide(content, side, two) });
      continue;
    }
    if (one.comment !== two.comment) {
      found.push({ name: `${title}: comment`, mine: one.comment || '–', theirs: two.comment || '–', take: (content) => swapSide(content, side, { ...content.sides[side]!, comment: two.comment }) });
    }
    found.push(...ofSpine(data, side, title, one, two));
  }
  if (mine.stage !== theirs.stage) {
    found.push({ name: 'stage', mine: mine.stage, theirs: theirs.stage, take: (content) => ({ ...content, stage: theirs.stage }) });
  }
  return found;
}

function ofSpine(data: CaseData, side: SideKey, title: string, one: Spine, two: Spine): Difference[] {
  const found: Difference[] = [];
  for (const level of data.levels[one.anatomy] ?? []) {
    const a = one.vertebrae[level] ?? EMPTY_ANSWER;
    const b = two.vertebrae[level] ?? EMPTY_ANSWER;
    if (canonicalAnswer(a) === canonicalAnswer(b)) continue;
    const words = [inWords(data, a), inWords(data, b)] as const;
    const pointsOnly = words[0] === words[1];
    found.push({
      name: `${title} ${level}`,
      mine: pointsOnly ? `${words[0]} (${points(a)})` : words[0],
      theirs: pointsOnly ? `${words[1]} (${points(b)})` : words[1],
      take: (content) => swapAnswer(content, side, level, two.vertebrae[level]),
      ...(saysMore(b, a) ? { prefer: 'theirs' as const } : {}),
    });
  }
  return found;
}

function saysMore(one: Answer, other: Answer): boolean {
  if (other.grade !== null) return one.grade === other.grade && one.moved && !other.moved;
  return one.grade !== null || (one.moved && !other.moved);
}

function points(answer: Answer): string {
  if (!answer.six_points) return 'no points';
  return answer.moved ? 'points moved' : 'points as suggested';
}

function swapSide(content: Content, side: SideKey, spine: Spine | undefined): Content {
  const sides = { ...content.sides };
  if (spine) sides[side] = spine;
  else delete sides[side];
  return { ...content, sides };
}

function swapAnswer(content: Content, side: SideKey, level: Level, answer: Answer | undefined): Content {
  const spine = content.sides[side]!;
  const vertebrae = { ...spine.vertebrae };
  if (answer) vertebrae[level] = answer;
  else delete vertebrae[level];
  return swapSide(content, side, { ...spine, vertebrae });
}

export class ConflictDialog {
  readonly root: HTMLDialogElement = el('dialog', { class: 'conflict', attrs: { 'aria-label': 'Two versions of this reading' }, data: { testid: 'conflict' } });

  constructor() {
    // There is no third way: closing without a choice would leave both versions unsaved.
    this.root.addEventListener('cancel', (event) => event.preventDefault());
    this.root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') event.preventDefault();
    });
  }

  /** Resolves with the content to go on with. */
  choose(data: CaseData, mine: Content, theirs: Content, why: string): Promise<Content> {
    const list = differences(data, mine, theirs);
    return new Promise((resolve) => {
      const chosen = list.map(({ prefer }) => prefer ?? ('mine' as 'mine' | 'theirs'));
      const done = (pick: (at: number) => boolean): void => {
        // The stage is the server's to say: an unaided answer cannot become unaided again.
        const base: Content = { ...mine, stage: theirs.stage };
        this.root.close();
        resolve(list.reduce((content, item, at) => (pick(at) ? item.take(content) : content), base));
      };
      this.root.replaceChildren(
        el('h1', { text: 'Two versions of this reading' }),
        el('p', { text: why }),
        el('div', { class: 'scroll' }, table(list, chosen)),
        el(
          'footer',
          {},
          button('Keep all of mine', 'keep all of mine', () => done(() => false), { data: { testid: 'keep-mine' } }),
          button('Take all of theirs', 'take all of theirs', () => done(() => true), { data: { testid: 'take-theirs' } }),
          button('Save as chosen above', 'save as chosen above', () => done((at) => chosen[at] === 'theirs'), { class: 'primary', data: { testid: 'save-chosen' } }),
        ),
      );
      if (!this.root.open) this.root.showModal();
    });
  }
}

function table(list: readonly Difference[], chosen: ('mine' | 'theirs')[]): HTMLElement {
  const body = el('tbody');
  list.forEach((item, at) => {
    const option = (which: 'mine' | 'theirs', words: string): HTMLElement => {
      const radio = el('input', { attrs: { type: 'radio', name: `difference-${at}` }, data: { testid: `${which}-${at}` } });
      radio.checked = which === chosen[at];
      radio.addEventListener('change', () => {
        chosen[at] = which;
      });
      return el('td', {}, el('label', {}, radio, el('span', { text: words })));
    };
    body.append(el('tr', {}, el('th', { text: item.name, attrs: { scope: 'row' } }), option('mine', item.mine), option('theirs', item.theirs)));
  });
  const head = el('tr', {}, el('th'), el('th', { text: 'Mine, on this screen' }), el('th', { text: 'Theirs, on the server' }));
  return el('table', {}, el('thead', {}, head), body);
}
