// Heights and ratios of the selected vertebra on both sides, live while a point is dragged.
import { answerOf } from './complete.ts';
import { el, setText } from './dom.ts';
import { heightsOf, percentChange, ratiosOf, type Heights } from './measure.ts';
import type { Store } from './state.ts';
import type { SideFilms } from './types.ts';

const ROWS = [
  ['a', 'Ha'],
  ['m', 'Hm'],
  ['p', 'Hp'],
  ['ap', 'Ha/Hp'],
  ['mp', 'Hm/Hp'],
] as const;

interface Measured {
  readonly heights: Heights | null;
  readonly calibrated: boolean;
}

export class HeightTable {
  readonly root = el('div', { class: 'group heights' });
  private readonly hint = el('p', { class: 'remark' });
  private readonly cells = new Map<string, HTMLElement>();
  private readonly heads: HTMLElement[] = [];

  constructor(private readonly store: Store) {
    const { sides } = store.data;
    const changes = sides.length === 2 && !store.data.blind_order;
    const head = el('tr', {}, el('th', { text: '' }));
    for (const { title } of sides) {
      const node = el('th', { text: title, attrs: { scope: 'col' } });
      this.heads.push(node);
      head.append(node);
    }
    if (changes) head.append(el('th', { text: 'Change', attrs: { scope: 'col' } }));
    const body = el('tbody');
    for (const [key, name] of ROWS) {
      const row = el('tr', {}, el('th', { text: name, attrs: { scope: 'row' } }));
      for (const { side } of sides) row.append(this.cell(`${key}${side}`));
      if (changes) row.append(this.cell(`${key}change`));
      body.append(row);
    }
    this.root.append(el('table', {}, el('thead', {}, head), body), this.hint);
  }

  private cell(name: string): HTMLElement {
    const node = el('td', { data: { testid: `height-${name}` } });
    this.cells.set(name, node);
    return node;
  }

  draw(): void {
    const { sides } = this.store.data;
    const measured = sides.map((side) => this.measure(side));
    sides.forEach(({ side }, at) => {
      this.heads[at]!.classList.toggle('active', side === this.store.selection.side);
      const heights = measured[at]!.heights;
      const ratios = heights && ratiosOf(heights);
      for (const key of ['a', 'm', 'p'] as const) {
        this.put(`${key}${side}`, heights?.mm ? heights[key].toFixed(1) : '–');
      }
      for (const key of ['ap', 'mp'] as const) this.put(`${key}${side}`, ratios ? ratios[key].toFixed(2) : '–');
    });
    const [first, second] = measured;
    for (const key of ['a', 'm', 'p'] as const) {
      const both = first?.heights?.mm && second?.heights?.mm;
      const change = both ? percentChange(first.heights![key], second.heights![key]) : null;
      const node = this.cells.get(`${key}change`);
      if (!node) break;
      this.put(`${key}change`, change === null ? '–' : signed(change));
      node.classList.toggle('lower', change !== null && change <= -15);
    }
    const notes = new Set<string>();
    for (const { heights, calibrated } of measured) {
      if (heights && !heights.mm) notes.add('no scale: ratios only');
      else if (heights && !calibrated) notes.add('mm of the detector or of an estimate: not calibrated');
    }
    setText(this.hint, notes.size ? [...notes].join('; ') : measured.some(({ heights }) => heights) ? 'mm' : 'no points');
  }

  private put(name: string, text: string): void {
    const node = this.cells.get(name);
    if (node) setText(node, text);
  }

  private measure(films: SideFilms): Measured {
    const answer = answerOf(this.store.content, films.side, this.store.selection.level);
    const film = films.films.find(({ key }) => key === answer.film);
    if (!film || !answer.six_points) return { heights: null, calibrated: false };
    return { heights: heightsOf(answer.six_points, film), calibrated: film.calibrated };
  }
}

/** `+1.4%`, `−0.3%`; what rounds to nothing has no sign. */
function signed(change: number): string {
  const size = Math.abs(change).toFixed(1);
  const sign = size === '0.0' ? '' : change > 0 ? '+' : '−';
  return `${sign}${size}%`;
}
