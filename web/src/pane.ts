// One side's part of the room: its title, its films, how its vertebrae are named, and the picture.
import { button, el, pressed, setText } from './dom.ts';
import { FilmError } from './film.ts';
import { keyOf } from './keys.ts';
import { Overlay } from './overlay.ts';
import type { Settings } from './settings.ts';
import type { Store } from './state.ts';
import type { Film, SideFilms } from './types.ts';
import { FilmView } from './viewport.ts';

export interface Naming {
  shift(side: SideFilms, by: -1 | 1): void;
  anatomy(side: SideFilms, anatomy: string): void;
}

export class Pane {
  readonly root: HTMLElement;
  readonly area = el('div', { class: 'area', data: { testid: 'film' } });
  readonly view: FilmView;
  readonly overlay: Overlay;
  private readonly message = el('div', { class: 'message', attrs: { role: 'status' } });
  private readonly tabs = new Map<string, HTMLButtonElement>();
  private readonly anatomy = el('select', { data: { testid: 'anatomy' } });
  private readonly naming: HTMLButtonElement[];
  private readonly scale = el('span', { class: 'scale' });
  private readonly ruler = el('i', { class: 'ruler' });

  constructor(
    readonly side: SideFilms,
    private readonly store: Store,
    settings: Settings,
    naming: Naming,
    private readonly painted: () => void,
  ) {
    this.view = new FilmView(side);
    this.overlay = new Overlay(this.view, store, settings);
    this.area.dataset['side'] = side.side;
    this.area.append(this.view.canvas, this.overlay.root, el('div', { class: 'ruler-box' }, this.ruler, this.scale), this.message);
    for (const [at, film] of side.films.entries()) {
      this.tabs.set(film.key, button(`Film ${at + 1}`, `film ${at + 1} of ${side.title}`, () => void this.show(film), { data: { testid: 'film-tab' } }));
    }
    for (const [code, words] of store.data.codes.anatomy) {
      this.anatomy.append(el('option', { text: words, attrs: { value: code } }));
    }
    this.anatomy.setAttribute('aria-label', `anatomy, ${side.title}`);
    this.anatomy.addEventListener('change', () => {
      naming.anatomy(side, this.anatomy.value);
      this.anatomy.blur();
      this.draw();
    });
    this.naming = [
      button('Names ↑', `all names of ${side.title} one level up (${keyOf('namesUp')})`, () => naming.shift(side, -1), { data: { testid: 'names-up' } }),
      button('Names ↓', `all names of ${side.title} one level down (${keyOf('namesDown')})`, () => naming.shift(side, 1), { data: { testid: 'names-down' } }),
    ];
    this.root = el(
      'section',
      { class: 'pane', attrs: { 'aria-label': side.title }, data: { side: side.side } },
      el(
        'header',
        {},
        el('h2', { text: side.title }),
        ...(side.films.length > 1 ? this.tabs.values() : []),
        this.notes(),
        el('span', { class: 'spring' }),
        this.anatomy,
        ...this.naming,
      ),
      this.area,
    );
    this.view.onMoved(() => this.drawRuler());
  }

  /** Loads and paints the first film; a film that fails says so in its own place. */
  async start(): Promise<void> {
    await this.attempt(() => this.view.start());
  }

  async show(film: Film): Promise<void> {
    await this.attempt(() => this.view.show(film));
    this.draw();
  }

  draw(): void {
    const spine = this.store.spine(this.side.side);
    if (spine) this.anatomy.value = spine.anatomy;
    const fixed = this.store.readOnly || this.store.data.kind === 'adjudication';
    this.anatomy.disabled = fixed;
    for (const node of this.naming) node.disabled = fixed;
    for (const [key, tab] of this.tabs) pressed(tab, key === this.view.film.key);
    this.root.classList.toggle('active', this.store.selection.side === this.side.side);
    this.overlay.soon();
  }

  private async attempt(load: () => Promise<void>): Promise<void> {
    this.message.hidden = false;
    this.message.replaceChildren(el('p', { text: 'Loading…' }));
    try {
      await load();
      this.message.hidden = true;
      this.painted();
    } catch (error) {
      const words = error instanceof FilmError ? error.message : 'the film cannot be shown';
      this.message.replaceChildren(
        el('p', { text: `${this.side.title}: ${words}` }),
        button('Try again', 'load the film again', () => void this.show(this.view.film)),
      );
    }
  }

  private notes(): HTMLElement {
    const words = this.side.films.flatMap((film) => [
      film.spacing_mm ? (film.calibrated ? '' : 'not calibrated') : 'no scale',
      ...film.notes,
    ]);
    const shown = [...new Set(words.filter((word) => word !== ''))];
    return el('span', { class: 'notes', text: shown.join(' · '), title: shown.join('\n') });
  }

  /** A bar of 10 to 50 mm, where a millimetre is known. */
  private drawRuler(): void {
    const { view } = this;
    this.ruler.parentElement!.hidden = !view.inMm;
    const length = [10, 20, 50, 100].find((mm) => mm * view.zoom >= 40) ?? 100;
    this.ruler.style.width = `${(length * view.zoom).toFixed(1)}px`;
    setText(this.scale, `${length} mm`);
  }
}
