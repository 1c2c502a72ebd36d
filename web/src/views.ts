// Both films together: they move, zoom and window as one while linked, and follow the level.
import { allLevels } from './complete.ts';
import { pixelsOf } from './film.ts';
import { locate, outlineOf, widthOf } from './measure.ts';
import type { Notices } from './notice.ts';
import type { Settings } from './settings.ts';
import type { Store } from './state.ts';
import type { Film, SideKey } from './types.ts';
import type { FilmView } from './viewport.ts';

/** Height of the view when a vertebra is looked at from near: five or six vertebrae. */
const NEAR_MM = 170;
const NEAR_TIMES = 2.6;
const WHOLE: readonly [number, number] = [0, 65535];

export class Views {
  constructor(
    readonly all: readonly FilmView[],
    private readonly store: Store,
    private readonly settings: Settings,
    private readonly notices: Notices,
    private readonly show: (view: FilmView, film: Film) => Promise<void>,
  ) {}

  of(side: SideKey): FilmView | undefined {
    return this.all.find((view) => view.side.side === side);
  }

  /** The film of the selected side. */
  get active(): FilmView {
    return this.of(this.store.selection.side) ?? this.all[0]!;
  }

  private withLinked(view: FilmView, act: (view: FilmView) => void): void {
    for (const each of this.settings.linked ? this.all : [view]) act(each);
  }

  panBy(view: FilmView, dx: number, dy: number): void {
    this.withLinked(view, (each) => each.panBy(dx, dy));
  }

  zoomAt(view: FilmView, factor: number, x: number, y: number): void {
    this.withLinked(view, (each) => each.zoomAt(factor, x, y));
  }

  zoomBy(factor: number): void {
    const [width, height] = this.active.size;
    this.zoomAt(this.active, factor, width / 2, height / 2);
  }

  /** Right drag: sideways the width of the window, up and down its level. */
  windowBy(view: FilmView, dx: number, dy: number): void {
    this.withLinked(view, (each) => {
      const [low, high] = each.window;
      const step = Math.max(high - low, 2000) / 400;
      const half = Math.max(64, (high - low) / 2 + (dx * step) / 2);
      const level = (low + high) / 2 + dy * step;
      each.setWindow(level - half, level + half);
    });
  }

  /** The grey values of the vertebra fill the window; again: the whole range. */
  toggleWindow(): void {
    const near = this.all.some((view) => view.window[0] !== WHOLE[0] || view.window[1] !== WHOLE[1]);
    for (const view of this.settings.linked ? this.all : [this.active]) {
      const range = near ? WHOLE : this.rangeAround(view);
      if (range) view.setWindow(range[0], range[1]);
    }
    this.notices.say(near ? 'window: whole range' : 'window: this vertebra');
  }

  invert(): void {
    this.settings.invert = !this.settings.invert;
    for (const view of this.all) view.setInverted(this.settings.invert);
    this.notices.say(this.settings.invert ? 'inverted: bone dark' : 'bone bright');
  }

  toggleFit(): void {
    if (this.active.isFitted) this.near(true);
    else for (const view of this.all) view.fit();
  }

  /** After a level was selected: each side shows it in the middle, both equally large. */
  follow(except?: FilmView): void {
    if (this.settings.follow) this.near(false, except);
  }

  private near(say: boolean, except?: FilmView): void {
    const { level } = this.store.selection;
    const scale = this.nearScale();
    let found = false;
    for (const view of this.all) {
      const { side } = view.side;
      const spine = this.store.spine(side);
      const place = spine && locate(spine, allLevels(this.store.data, this.store.content, side), level);
      if (!place) continue;
      found = true;
      const film = view.side.films.find(({ key }) => key === place.film);
      const centre = (): void => {
        if (view !== except) view.centreOn(place.at, this.scaleOf(view, scale));
      };
      if (film && film !== view.film) void this.show(view, film).then(centre);
      else centre();
    }
    if (!found && say) {
      for (const view of this.all) {
        view.centreOn([view.film.columns / 2, view.film.rows / 2], view.zoom * NEAR_TIMES);
      }
    }
  }

  /** Screen pixels per millimetre for all films with a scale; as it is unless films are whole. */
  private nearScale(): number | null {
    const active = this.active.inMm ? this.active : this.all.find((view) => view.inMm);
    if (!active) return null;
    return active.isFitted ? Math.max(active.size[1] / NEAR_MM, active.zoom * 1.2) : active.zoom;
  }

  private scaleOf(view: FilmView, mmScale: number | null): number {
    if (view.inMm && mmScale !== null) return mmScale;
    // Without a scale the vertebra itself is one: both sides show it equally wide.
    const other = this.all.find((each) => each.inMm);
    const mine = this.width(view);
    const theirs = other && this.width(other);
    if (mmScale !== null && mine && theirs) return (mmScale * theirs) / mine;
    return view.isFitted ? view.zoom * NEAR_TIMES : view.zoom;
  }

  private width(view: FilmView): number | null {
    const answer = this.store.answer(view.side.side, this.store.selection.level);
    const film = view.side.films.find(({ key }) => key === answer.film);
    return film && answer.six_points ? widthOf(answer.six_points, film) : null;
  }

  private rangeAround(view: FilmView): readonly [number, number] | null {
    const pixels = pixelsOf(view.film);
    const answer = this.store.answer(view.side.side, this.store.selection.level);
    if (!pixels) return null;
    const ring = answer.film === view.film.key ? outlineOf(answer) : [];
    const [width, height] = view.size;
    const corners = ring.length ? ring : [view.toFilm([0, 0]), view.toFilm([width, height])];
    const xs = corners.map(([x]) => x);
    const ys = corners.map(([, y]) => y);
    const margin = ring.length ? (Math.max(...xs) - Math.min(...xs)) * 0.4 : 0;
    const { rows, columns } = view.film;
    const left = Math.max(0, Math.floor(Math.min(...xs) - margin));
    const right = Math.min(columns, Math.ceil(Math.max(...xs) + margin));
    const top = Math.max(0, Math.floor(Math.min(...ys) - margin));
    const bottom = Math.min(rows, Math.ceil(Math.max(...ys) + margin));
    const values: number[] = [];
    const step = Math.max(1, Math.floor(Math.sqrt(((right - left) * (bottom - top)) / 40_000)));
    for (let row = top; row < bottom; row += step) {
      for (let column = left; column < right; column += step) values.push(pixels[row * columns + column]!);
    }
    if (values.length < 10) return null;
    values.sort((one, two) => one - two);
    const low = values[Math.floor(values.length * 0.01)]!;
    const high = values[Math.floor(values.length * 0.995)]!;
    const spare = (high - low) * 0.08;
    return [low - spare, high + spare];
  }
}
