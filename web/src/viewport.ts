// One side's film on the screen: a Cornerstone stack viewport whose camera is described by two
// numbers that a reader understands, where the middle is and how large a millimetre is.
import { Enums, RenderingEngine, getShouldUseCPURendering, init, type Types } from '@cornerstonejs/core';
import { el } from './dom.ts';
import { fetchPixels, imageIdOf, pixelsOf, registerFilms } from './film.ts';
import { pixelSize } from './measure.ts';
import type { Film, Point, SideFilms } from './types.ts';

const ENGINE = 'zoom';
let engine: RenderingEngine | null = null;

/** Starts Cornerstone; without WebGL it draws with the CPU by itself. */
export function startEngine(): void {
  // One WebGL context for both films starts fastest; Cornerstone fills in the rest of its configuration.
  init({ rendering: { webGlContextCount: 1 } } as Parameters<typeof init>[0]);
  document.documentElement.dataset['renderer'] = getShouldUseCPURendering() ? 'cpu' : 'gpu';
  registerFilms();
  engine = new RenderingEngine(ENGINE);
}

const SMALLEST = 0.5;
const LARGEST = 40;

export class FilmView {
  readonly canvas = el('div', { class: 'film-canvas' });
  film: Film;
  /** World millimetres (or pixel widths without a scale) in the middle of the view. */
  private middle: [number, number] = [0, 0];
  /** Screen pixels per millimetre (or per pixel width). */
  private scale = 1;
  private fitted = true;
  private voi: [number, number] = [0, 65535];
  private inverted = false;
  private ready = false;
  /** View pixel of film pixel (0, 0), and view pixels per column and row. */
  private map = { x: 0, y: 0, kx: 1, ky: 1 };
  private readonly listeners: (() => void)[] = [];
  private viewport: Types.IStackViewport | null = null;

  constructor(readonly side: SideFilms) {
    this.film = side.films[0]!;
  }

  onMoved(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Puts the viewport into the page and loads its first film; resolves when that is painted. */
  async start(): Promise<void> {
    const id = `side-${this.side.side}`;
    engine!.enableElement({
      viewportId: id,
      element: this.canvas,
      type: Enums.ViewportType.STACK,
      defaultOptions: { background: [0, 0, 0] },
    });
    this.viewport = engine!.getViewport(id) as Types.IStackViewport;
    this.canvas.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.moved());
    new ResizeObserver(() => this.resized()).observe(this.canvas);
    await this.show(this.film);
  }

  async show(film: Film): Promise<void> {
    this.film = film;
    // Asked for here, so that a film that does not come is told as such.
    if (!pixelsOf(film)) await fetchPixels(film);
    const painted = new Promise<void>((resolve) => {
      const done = (): void => resolve();
      this.canvas.addEventListener(Enums.Events.IMAGE_RENDERED, done, { once: true });
      setTimeout(done, 3000);
    });
    await this.viewport!.setStack([imageIdOf(film)], 0);
    this.ready = true;
    if (this.fitted) this.fitCamera();
    this.paint();
    await painted;
    this.moved();
  }

  get size(): readonly [number, number] {
    return [this.canvas.clientWidth, this.canvas.clientHeight];
  }

  get isPainted(): boolean {
    return this.ready;
  }

  /** Whether lengths on this film are millimetres. */
  get inMm(): boolean {
    return this.film.spacing_mm !== null;
  }

  get zoom(): number {
    return this.scale;
  }

  get isFitted(): boolean {
    return this.fitted;
  }

  get window(): readonly [number, number] {
    return this.voi;
  }

  get isInverted(): boolean {
    return this.inverted;
  }

  /** Pixel of the film to pixel of the view, as Cornerstone draws it. */
  toView([column, row]: Point): Point {
    const { x, y, kx, ky } = this.map;
    return [x + column * kx, y + row * ky];
  }

  toFilm([left, top]: Point): Point {
    const { x, y, kx, ky } = this.map;
    return [(left - x) / kx, (top - y) / ky];
  }

  panBy(dx: number, dy: number): void {
    this.fitted = false;
    this.middle = [this.middle[0] - dx / this.scale, this.middle[1] - dy / this.scale];
    this.apply();
  }

  /** The pixel under (x, y) stays where it is. */
  zoomAt(factor: number, x: number, y: number): void {
    const next = Math.min(Math.max(this.scale * factor, this.limit(SMALLEST)), this.limit(LARGEST));
    const [width, height] = this.size;
    const dx = (x - width / 2) / this.scale - (x - width / 2) / next;
    const dy = (y - height / 2) / this.scale - (y - height / 2) / next;
    this.fitted = false;
    this.middle = [this.middle[0] + dx, this.middle[1] + dy];
    this.scale = next;
    this.apply();
  }

  centreOn([column, row]: Point, scale = this.scale): void {
    const [rowSize, columnSize] = pixelSize(this.film);
    this.fitted = false;
    this.middle = [column * columnSize, row * rowSize];
    this.scale = scale;
    this.apply();
  }

  fit(): void {
    this.fitCamera();
    this.apply();
  }

  setWindow(lower: number, upper: number): void {
    const low = Math.max(-32768, Math.min(lower, 98302));
    this.voi = [low, Math.max(low + 64, Math.min(upper, 131071))];
    this.paint();
  }

  setInverted(on: boolean): void {
    this.inverted = on;
    this.paint();
  }

  private limit(times: number): number {
    return this.fitScale() * times;
  }

  private fitScale(): number {
    const [rowSize, columnSize] = pixelSize(this.film);
    const [width, height] = this.size;
    return Math.max(
      Math.min(width / (this.film.columns * columnSize), height / (this.film.rows * rowSize)),
      1e-6,
    );
  }

  private fitCamera(): void {
    const [rowSize, columnSize] = pixelSize(this.film);
    this.fitted = true;
    this.scale = this.fitScale();
    this.middle = [
      ((this.film.columns - 1) / 2) * columnSize,
      ((this.film.rows - 1) / 2) * rowSize,
    ];
  }

  private paint(): void {
    if (!this.ready) return;
    this.viewport!.setProperties({
      voiRange: { lower: this.voi[0], upper: this.voi[1] },
      invert: this.inverted,
      interpolationType: Enums.InterpolationType.LINEAR,
    });
    this.apply();
  }

  private apply(): void {
    if (!this.ready) return;
    const { focalPoint, position } = this.viewport!.getCamera();
    const away = (position?.[2] ?? -1) - (focalPoint?.[2] ?? 0);
    const [x, y] = this.middle;
    this.viewport!.setCamera({
      focalPoint: [x, y, 0],
      position: [x, y, away],
      parallelScale: this.size[1] / 2 / this.scale,
    });
    this.viewport!.render();
    this.moved();
  }

  private moved(): void {
    if (!this.ready) return;
    // The view is never turned, so two points say where every pixel lies. Asking Cornerstone, not
    // computing it anew, keeps outlines on the bone in every rendering mode.
    const [row, column] = pixelSize(this.film);
    const far = 1000;
    const [x, y] = this.viewport!.worldToCanvas([0, 0, 0]);
    const [right, bottom] = this.viewport!.worldToCanvas([far * column, far * row, 0]);
    const kx = (right - x) / far;
    const ky = (bottom - y) / far;
    // Without WebGL Cornerstone draws a pixel to the right of and below its place, not around it.
    const shift = getShouldUseCPURendering() ? 0.5 : 0;
    this.map = { x: x + shift * kx, y: y + shift * ky, kx, ky };
    for (const listener of this.listeners) listener();
  }

  private resized(): void {
    if (!this.ready || this.size[0] < 2 || this.size[1] < 2) return;
    engine!.resize(true, true);
    if (this.fitted) this.fitCamera();
    this.apply();
  }
}
