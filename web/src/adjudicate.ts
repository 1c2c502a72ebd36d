// Adjudication: where two readers differ, a third takes one answer or gives one of her own.
import type { Answers } from './answer.ts';
import { answerOf, isOpen } from './complete.ts';
import { button, el } from './dom.ts';
import { keyOf } from './keys.ts';
import type { Notices } from './notice.ts';
import type { Store } from './state.ts';
import { shortGrade } from './suggest.ts';
import type { Answer, CaseData } from './types.ts';

/** One answer in words: grade, shape, reason or cause, signs, note. */
export function inWords(data: CaseData, answer: Answer): string {
  const word = (kind: 'reason' | 'sign' | 'cause' | 'grade', code: string): string =>
    data.codes[kind].find(([name]) => name === code)?.[1] ?? code;
  const parts: string[] = [];
  if (answer.grade === null) parts.push('no answer');
  else if (answer.grade === 'not_evaluable') parts.push('not evaluable');
  else if (answer.grade === 'indeterminate') parts.push('indeterminate');
  else parts.push(`grade ${shortGrade(answer.grade, answer.shape)}`);
  if (answer.reason) parts.push(word('reason', answer.reason));
  if (answer.cause) parts.push(word('cause', answer.cause));
  parts.push(...answer.signs.map((sign) => word('sign', sign)));
  if (answer.note.trim()) parts.push(`“${answer.note.trim()}”`);
  return parts.join(', ');
}

export class Adjudication {
  readonly root = el('section', { class: 'readers', attrs: { 'aria-label': 'Both readers' } });

  constructor(
    private readonly store: Store,
    private readonly answers: Answers,
    private readonly notices: Notices,
  ) {}

  /** Takes the whole answer of a reader: grade, shape, reason, signs, note and points. */
  take(index: number): void {
    const { data, selection } = this.store;
    const reader = data.readers?.[index];
    if (!reader) {
      this.notices.say('this is no adjudication', 'warn');
      return;
    }
    if (!this.answers.may()) return;
    const answer = answerOf(reader.content, selection.side, selection.level);
    const words = `${selection.level} as ${reader.name}: ${inWords(data, answer)}`;
    this.store.changeAnswer(selection.side, selection.level, answer, words);
    this.notices.say(words);
    this.answers.moveOn();
  }

  draw(): void {
    const { data, selection } = this.store;
    this.root.hidden = !data.readers;
    if (!data.readers) return;
    const open = isOpen(data, selection.side, selection.level);
    this.root.replaceChildren(
      ...data.readers.map((reader, index) => {
        const answer = answerOf(reader.content, selection.side, selection.level);
        const row = el('div', { class: 'reader', data: { testid: `reader-${index + 1}` } });
        row.append(
          el('span', { class: 'name', text: reader.name }),
          el('span', { class: 'said', text: inWords(data, answer), data: { grade: answer.grade ?? 'open' } }),
        );
        if (open) {
          const key = keyOf(index === 0 ? 'reader1' : 'reader2');
          row.append(
            button('Take', `take the answer of ${reader.name} (${key})`, () => this.take(index), {
              data: { testid: `take-${index + 1}` },
            }),
          );
        }
        return row;
      }),
    );
    if (!open && data.state === 'open') {
      this.root.append(el('p', { class: 'remark', text: 'Both readers agree: shown, not answered.' }));
    }
  }
}
