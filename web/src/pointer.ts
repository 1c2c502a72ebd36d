// The mouse (or pen) on a film: wheel zooms, drag moves, right drag windows, a point follows.
import type { Loupe } from './loupe.ts';
import type { Points } from './points.ts';
import type { Store } from './state.ts';
import type { Landmark, Level } from './types.ts';
import type { FilmView } from './viewport.ts';
import type { Views } from './views.ts';

type Mode = 'none' | 'pan' | 'window' | 'point';
const CLICK_PX = 4;

export class Pointer {
  /** Space is held: every drag moves the film. */
  space = false;
  loupeHeld = false;
  loupeOn = false;
  private mode: Mode = 'none';
  private last = { x: 0, y: 0 };
  private travelled = 0;
  private at: { view: FilmView; x: number; y: number } | null = null;

  constructor(
    private readonly store: Store,
    private readonly views: Views,
    private readonly points: Points,
    private readonly loupe: Loupe,
    private readonly pick: (view: FilmView, level: Level | null) => void,
  ) {}

  attach(view: FilmView, area: HTMLElement): void {
    area.addEventListener('contextmenu', (event) => event.preventDefault());
    area.addEventListener('pointerdown', (event) => this.down(view, area, event));
    area.addEventListener('pointermove', (event) => this.move(view, area, event));
    area.addEventListener('pointerup', (event) => this.up(view, area, event));
    area.addEventListener('pointercancel', (event) => this.up(view, area, event));
    area.addEventListener('pointerleave', () => {
      this.at = null;
      this.loupe.hide();
    });
    area.addEventListener('dblclick', (event) => {
      if (!(event.target as Element).closest('.hit')) this.views.toggleFit();
    });
    area.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const [x, y] = this.place(area, event);
        const lines = event.deltaMode === 1 ? 30 : 1;
        this.views.zoomAt(view, Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) / 400), x, y);
        this.showLoupe();
      },
      { passive: false },
    );
  }

  showLoupe(): void {
    if (this.at && (this.loupeHeld || this.loupeOn)) this.loupe.show(this.at.view, this.at.x, this.at.y);
    else this.loupe.hide();
  }

  private place(area: HTMLElement, event: MouseEvent): [number, number] {
    const box = area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(view: FilmView, area: HTMLElement, event: PointerEvent): void {
    if (this.mode !== 'none' || (event.target as Element).closest('button')) return;
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && !area.contains(focused)) focused.blur();
    this.last = { x: event.clientX, y: event.clientY };
    this.travelled = 0;
    const hit = (event.target as Element).closest<SVGCircleElement>('.hit');
    if (event.button === 2) this.mode = 'window';
    else if (event.button === 1 || this.space) this.mode = 'pan';
    else if (event.button === 0) this.mode = hit && !this.points.placing ? this.grab(view, area, hit, event) : 'pan';
    if (this.mode === 'none') return;
    event.preventDefault();
    area.setPointerCapture(event.pointerId);
    area.classList.toggle('grabbing', this.mode === 'pan');
  }

  private grab(view: FilmView, area: HTMLElement, hit: SVGCircleElement, event: PointerEvent): Mode {
    const { side } = view.side;
    if (this.store.selection.side !== side) this.store.select({ side, level: this.store.selection.level });
    const name = hit.dataset['point'] as Landmark;
    return this.points.take(view, name, view.toFilm(this.place(area, event))) ? 'point' : 'pan';
  }

  private move(view: FilmView, area: HTMLElement, event: PointerEvent): void {
    const [x, y] = this.place(area, event);
    this.at = { view, x, y };
    const dx = event.clientX - this.last.x;
    const dy = event.clientY - this.last.y;
    if (this.mode !== 'none') this.travelled += Math.abs(dx) + Math.abs(dy);
    if (this.mode === 'point') this.points.dragTo(view, view.toFilm([x, y]));
    else if (this.mode === 'window') this.views.windowBy(view, dx, dy);
    else if (this.mode === 'pan' && this.travelled > CLICK_PX) this.views.panBy(view, dx, dy);
    // A drag starts where the button went down, also when it was slow to become one.
    if (this.mode !== 'pan' || this.travelled > CLICK_PX) this.last = { x: event.clientX, y: event.clientY };
    this.showLoupe();
  }

  private up(view: FilmView, area: HTMLElement, event: PointerEvent): void {
    const mode = this.mode;
    this.mode = 'none';
    area.classList.remove('grabbing');
    if (mode === 'point') this.points.release();
    if (mode !== 'pan' || event.button !== 0 || this.travelled > CLICK_PX) return;
    const [x, y] = this.place(area, event);
    if (this.points.placing) {
      this.points.click(view, view.toFilm([x, y]));
      return;
    }
    const under = document.elementsFromPoint(event.clientX, event.clientY);
    const outline = under.find((node) => node.classList.contains('outline')) as SVGElement | undefined;
    this.pick(view, outline?.dataset['level'] ?? null);
  }
}
