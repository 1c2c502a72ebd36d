// The strip between the films: every level from the top down, what is said of it on both sides, and
// what the model suggests where the charter lets it be seen.
import { answerOf, gradedLevels, isOpen, problemOf } from './complete.ts';
import { el, setText } from './dom.ts';
import type { Selection, Store } from './state.ts';
import { shortGrade, shortSuggestion, suggestionFor } from './suggest.ts';
import type { Level, SideKey } from './types.ts';

interface Cell {
  readonly side: SideKey;
  readonly level: Level;
  readonly node: HTMLButtonElement;
  readonly answer: HTMLElement;
  readonly model: HTMLElement;
}

export class Strip {
  readonly root = el('nav', { class: 'strip', attrs: { 'aria-label': 'Levels' } });
  private readonly body = el('div', { class: 'rows' });
  private readonly head = el('div', { class: 'strip-head' });
  private cells: Cell[] = [];
  private names = new Map<Level, HTMLElement>();
  private shape = '';

  constructor(
    private readonly store: Store,
    private readonly go: (selection: Selection) => void,
  ) {
    this.root.append(this.head, this.body);
  }

  draw(): void {
    const { data, content } = this.store;
    const shape = data.sides.map(({ side }) => `${side}${content.sides[side]?.anatomy ?? ''}`).join();
    if (shape !== this.shape) {
      this.shape = shape;
      this.build();
    }
    for (const cell of this.cells) this.drawCell(cell);
    const { level } = this.store.selection;
    for (const [name, node] of this.names) node.parentElement!.classList.toggle('current', name === level);
  }

  private levels(): readonly Level[] {
    const { data, content } = this.store;
    const names = data.sides.flatMap(({ side }) => [...gradedLevels(data, content, side)]);
    const order = Object.values(data.levels).flat();
    // T13 exists in one anatomy only, between T12 and L1.
    const rank = (level: Level): number =>
      level.startsWith('C') ? Number(level.slice(1)) : level.startsWith('T') ? 100 + Number(level.slice(1)) : 200 + Number(level.slice(1));
    return [...new Set(names)].filter((level) => order.includes(level)).sort((a, b) => rank(a) - rank(b));
  }

  private build(): void {
    const { data, content } = this.store;
    this.cells = [];
    this.names = new Map();
    this.root.classList.toggle('single', data.sides.length === 1);
    const [first, second] = data.sides;
    this.head.replaceChildren(
      ...(first ? [el('span', { text: first.title })] : []),
      el('span', { class: 'middle' }),
      ...(second ? [el('span', { text: second.title })] : []),
    );
    this.body.replaceChildren(
      ...this.levels().map((level) => {
        const name = el('span', { class: 'level', text: level });
        this.names.set(level, name);
        const row = el('div', { class: 'row' });
        const cellOf = (side: SideKey): HTMLElement =>
          gradedLevels(data, content, side).includes(level)
            ? this.addCell(side, level)
            : el('span', { class: 'absent', text: 'none' });
        if (first) row.append(cellOf(first.side));
        row.append(name);
        if (second) row.append(cellOf(second.side));
        return row;
      }),
    );
  }

  private addCell(side: SideKey, level: Level): HTMLElement {
    const answer = el('span', { class: 'answer' });
    const model = el('span', { class: 'model' });
    const node = el(
      'button',
      {
        class: 'cell',
        data: { testid: 'cell', side, level },
        on: {
          click: (event) => {
            this.go({ side, level });
            if (event.detail > 0) node.blur();
          },
        },
      },
      answer,
      model,
    );
    node.type = 'button';
    this.cells.push({ side, level, node, answer, model });
    return node;
  }

  private drawCell({ side, level, node, answer: answerNode, model: modelNode }: Cell): void {
    const { data, content, selection } = this.store;
    const answer = answerOf(content, side, level);
    const problem = problemOf(answer);
    const open = isOpen(data, side, level);
    const suggestion = suggestionFor(data, side, level, answer);
    node.dataset['grade'] = answer.grade ?? 'open';
    node.dataset['complete'] = String(problem === '');
    node.dataset['flagged'] = String(suggestion?.flagged ?? false);
    const active = selection.side === side && selection.level === level;
    node.classList.toggle('active', active);
    node.classList.toggle('locked', !open && data.kind === 'adjudication');
    node.classList.toggle('differs', this.isDiscordant(side, level));
    node.setAttribute('aria-current', String(active));
    const said = answer.grade === null ? '–' : shortGrade(answer.grade, answer.shape);
    setText(answerNode, said + (answer.grade !== null && problem ? ' ?' : ''));
    const words = this.beside(side, level);
    setText(modelNode, words ?? (suggestion ? `${suggestion.flagged ? '⚑ ' : ''}${shortSuggestion(suggestion)}` : ''));
    const title = data.sides.find((films) => films.side === side)?.title ?? side;
    const hint = words ?? (suggestion ? `model ${shortSuggestion(suggestion)}${suggestion.flagged ? ', flagged' : ''}` : '');
    const label = `${title} ${level}: ${problem || said}${hint ? `; ${hint.replace('\n', ' and ')}` : ''}`;
    if (node.getAttribute('aria-label') !== label) node.setAttribute('aria-label', label);
  }

  /** In an adjudication both readers' grades stand where the model's word would. */
  private beside(side: SideKey, level: Level): string | null {
    const { data } = this.store;
    if (!data.readers || !this.isDiscordant(side, level)) return null;
    return data.readers
      .map(({ content }) => {
        const { grade, shape } = answerOf(content, side, level);
        return shortGrade(grade, shape);
      })
      .join('\n');
  }

  private isDiscordant(side: SideKey, level: Level): boolean {
    return (this.store.data.discordant ?? []).some(([s, l]) => s === side && l === level);
  }
}
