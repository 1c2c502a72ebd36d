// The panel of the selected vertebra: what can be said of it, and how high it is.
import type { Adjudication } from './adjudicate.ts';
import type { Answers } from './answer.ts';
import { isOpen, problemOf } from './complete.ts';
import { button, el, pressed, setText } from './dom.ts';
import { HeightTable } from './heights.ts';
import { keyOf, type ActionId } from './keys.ts';
import { withAnswer, withSpine, type Store } from './state.ts';
import { isEvaluable, percent, shortGrade, suggestionFor } from './suggest.ts';
import type { Content, Grade, Shape, Suggestion } from './types.ts';

export type Actions = Readonly<Record<ActionId, () => void>>;

const GRADE_KEYS: Readonly<Record<string, ActionId>> = {
  '0': 'grade0', '0.5': 'grade05', '1': 'grade1', '2': 'grade2', '3': 'grade3',
  indeterminate: 'indeterminate', not_evaluable: 'notEvaluable',
};
const SHAPE_KEYS: Readonly<Record<string, ActionId>> = { wedge: 'wedge', biconcave: 'biconcave', crush: 'crush' };
const SIGN_KEYS: readonly ActionId[] = ['sign0', 'sign1', 'sign2', 'sign3'];

export class Panel {
  readonly root = el('aside', { class: 'panel', attrs: { 'aria-label': 'Selected vertebra' } });
  readonly note = el('textarea', { attrs: { 'aria-label': `note (${keyOf('note')})`, maxlength: '500', rows: '2' }, data: { testid: 'note' } });
  private readonly comment = el('textarea', { attrs: { 'aria-label': 'comment on this side', maxlength: '1000', rows: '2' }, data: { testid: 'comment' } });
  private readonly title = el('h1');
  private readonly problem = el('p', { class: 'missing', data: { testid: 'problem' } });
  private readonly model = el('div', { class: 'model-word', data: { testid: 'model' } });
  private readonly grades: Map<string, HTMLButtonElement>;
  private readonly shapes: Map<string, HTMLButtonElement>;
  private readonly reasons: Map<string, HTMLButtonElement>;
  private readonly signs: Map<string, HTMLButtonElement>;
  private readonly causes: Map<string, HTMLButtonElement>;
  private readonly causeGroup: HTMLDetailsElement;
  private readonly reasonGroup: HTMLElement;
  private readonly shapeGroup: HTMLElement;
  private readonly heights: HeightTable;
  private readonly place: HTMLButtonElement;
  private readonly remove: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;
  private typing: Content | null = null;

  constructor(
    private readonly store: Store,
    private readonly answers: Answers,
    private readonly adjudication: Adjudication,
    actions: Actions,
  ) {
    const { codes } = store.data;
    const label = (words: string, id: ActionId): string => `${words} (${keyOf(id)})`;
    this.grades = new Map(
      codes.grade.map(([code, words]) => {
        const id = GRADE_KEYS[code]!;
        const short = code === 'indeterminate' ? 'indet.' : code === 'not_evaluable' ? 'n.e.' : code;
        return [code, button(short, label(`grade ${words}`, id), () => answers.grade(code as Grade), { class: 'grade', data: { testid: `grade-${code}`, grade: code } })];
      }),
    );
    this.shapes = new Map(
      codes.shape
        .filter(([code]) => code !== 'none')
        .map(([code, words]) => [code, button(words, label(words, SHAPE_KEYS[code]!), () => answers.shape(code as Shape), { data: { testid: `shape-${code}` } })]),
    );
    this.reasons = new Map(
      codes.reason.map(([code, words], at) => [code, button(`${at + 1}  ${words}`, words, () => answers.reason(code), { data: { testid: `reason-${code}` } })]),
    );
    this.signs = new Map(
      codes.sign.map(([code, words], at) => {
        const id = SIGN_KEYS[at]!;
        return [code, button(words, label(words, id), () => answers.sign(code), { data: { testid: `sign-${code}` } })];
      }),
    );
    this.causes = new Map(
      codes.cause.map(([code, words], at) => [
        code,
        button(`${at + 1}  ${words}`, words, () => answers.cause(store.answer().cause === code ? null : code), { data: { testid: `cause-${code}` } }),
      ]),
    );
    this.place = button('Add points', label('add points', 'place'), actions.place, { data: { testid: 'place' } });
    this.remove = button('Remove points', label('remove points', 'removePoints'), actions.removePoints, { data: { testid: 'remove-points' } });
    this.clear = button('Clear', label('clear this answer', 'clear'), actions.clear, { data: { testid: 'clear' } });
    this.shapeGroup = group('Shape', [...this.shapes.values()], 'three');
    this.reasonGroup = group('Why not evaluable', [...this.reasons.values()], 'list');
    this.causeGroup = el('details', { class: 'group' }, el('summary', { text: 'Cause other than fracture' }), el('div', { class: 'list' }, ...this.causes.values()));
    this.heights = new HeightTable(store);
    this.root.append(
      el('header', {}, this.title, this.problem),
      this.model,
      adjudication.root,
      group('Grade', [...this.grades.values()], 'grades'),
      this.shapeGroup,
      this.reasonGroup,
      group('Signs (ABQ)', [...this.signs.values()], 'list two'),
      this.causeGroup,
      el('label', { class: 'group' }, el('span', { class: 'legend', text: `Note  ${keyOf('note')}` }), this.note),
      this.heights.root,
      el('div', { class: 'group tools' }, this.place, this.remove, this.clear),
      el('label', { class: 'group side-comment' }, el('span', { class: 'legend', text: 'Comment on this side' }), this.comment),
    );
    this.bindText();
  }

  draw(): void {
    const { data, selection } = this.store;
    const answer = this.store.answer();
    const title = data.sides.find(({ side }) => side === selection.side)?.title ?? '';
    setText(this.title, `${selection.level} · ${title}`);
    const problem = problemOf(answer);
    const open = isOpen(data, selection.side, selection.level);
    setText(this.problem, this.store.readOnly ? 'signed' : !open ? 'not to be answered' : problem || 'answered');
    this.problem.classList.toggle('complete', problem === '');
    this.drawModel(suggestionFor(data, selection.side, selection.level, answer));
    this.adjudication.draw();
    for (const [code, node] of this.grades) pressed(node, answer.grade === code);
    for (const [code, node] of this.shapes) pressed(node, answer.shape === code);
    for (const [code, node] of this.reasons) pressed(node, answer.reason === code);
    for (const [code, node] of this.signs) pressed(node, answer.signs.includes(code));
    for (const [code, node] of this.causes) pressed(node, answer.cause === code);
    const causing = this.answers.awaiting === 'cause';
    this.reasonGroup.hidden = answer.grade !== 'not_evaluable';
    this.reasonGroup.classList.toggle('wanted', this.answers.awaiting === 'reason');
    this.shapeGroup.classList.toggle('wanted', problem.endsWith('which shape'));
    this.causeGroup.classList.toggle('wanted', causing);
    this.causeGroup.open = causing || answer.cause !== null;
    this.place.disabled = !open || answer.six_points !== null;
    this.clear.disabled = !open;
    this.remove.disabled = !open || answer.six_points === null;
    for (const nodes of [this.grades, this.shapes, this.reasons, this.signs, this.causes]) {
      for (const node of nodes.values()) node.disabled = !open;
    }
    if (document.activeElement !== this.note) this.note.value = answer.note;
    this.note.readOnly = !open;
    const spine = this.store.spine(selection.side);
    if (document.activeElement !== this.comment) this.comment.value = spine?.comment ?? '';
    this.comment.readOnly = this.store.readOnly;
    this.heights.draw();
  }

  private drawModel(suggestion: Suggestion | null): void {
    this.model.hidden = !suggestion;
    if (!suggestion) return;
    const words = isEvaluable(suggestion)
      ? `grade ${shortGrade(suggestion.grade, suggestion.shape)}`
      : `not evaluable${suggestion.reason ? `: ${suggestion.reason}` : ''}`;
    this.model.replaceChildren(
      el('span', { class: 'tag', text: 'Model' }),
      el('span', { class: 'word', text: words, data: { grade: suggestion.grade } }),
      ...(suggestion.flagged ? [el('span', { class: 'flag', text: '⚑ look here' })] : []),
    );
    if (!suggestion.p) return;
    const bars = el('div', { class: 'bars' });
    suggestion.p.forEach((share, grade) => {
      const bar = el('i', { data: { grade: String(grade) } });
      bar.style.width = `${Math.max(1, share * 100)}%`;
      bars.append(el('span', { text: String(grade) }), el('b', {}, bar), el('span', { text: percent(share) }));
    });
    this.model.append(bars);
  }

  /** Typing is drafted letter by letter and becomes one step of undo when the field is left. */
  private bindText(): void {
    const bind = (field: HTMLTextAreaElement, put: () => Content, words: string): void => {
      field.addEventListener('input', () => {
        this.typing ??= this.store.content;
        this.store.preview(put());
      });
      field.addEventListener('blur', () => {
        const before = this.typing;
        this.typing = null;
        if (before) this.store.settle(before, words);
      });
    };
    // The field is left before another vertebra is selected, so the selection is still its own.
    bind(this.note, () => {
      const { side, level } = this.store.selection;
      return withAnswer(this.store.content, side, level, { ...this.store.answer(), note: this.note.value });
    }, 'note');
    bind(this.comment, () => {
      const { side } = this.store.selection;
      return withSpine(this.store.content, side, { ...this.store.spine(side)!, comment: this.comment.value });
    }, 'comment');
    this.note.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey) return;
      event.preventDefault();
      this.note.blur();
      this.answers.moveOn();
    });
    for (const field of [this.note, this.comment]) {
      field.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') field.blur();
      });
    }
  }
}

function group(legend: string, nodes: readonly Node[], kind: string): HTMLElement {
  return el(
    'div',
    { class: 'group', attrs: { role: 'group', 'aria-label': legend } },
    el('span', { class: 'legend', text: legend }),
    el('div', { class: kind }, ...nodes),
  );
}
