// A loupe: a round window that follows the pointer and shows the film twice as large as the view
// does, drawn from the grey values themselves with the window of the view.
import { el } from './dom.ts';
import { pixelsOf } from './film.ts';
import { outlineOf, pixelSize } from './measure.ts';
import type { Store } from './state.ts';
import { LANDMARKS } from './types.ts';
import type { FilmView } from './viewport.ts';

const SIZE = 260;
const TIMES = 2.5;
const SMALLEST_PX = 3;

export class Loupe {
  private readonly canvas = el('canvas', { class: 'loupe', attrs: { 'aria-hidden': 'true' } });
  private readonly pen: CanvasRenderingContext2D;
  private readonly picture: ImageData;

  constructor(
    parent: HTMLElement,
    private readonly store: Store,
  ) {
    this.canvas.width = SIZE;
    this.canvas.height = SIZE;
    this.pen = this.canvas.getContext('2d')!;
    this.picture = this.pen.createImageData(SIZE, SIZE);
    this.canvas.hidden = true;
    parent.append(this.canvas);
  }

  hide(): void {
    this.canvas.hidden = true;
  }

  /** Shows what lies at (x, y) of the view; the loupe itself is centred there. */
  show(view: FilmView, x: number, y: number): void {
    const pixels = pixelsOf(view.film);
    if (!pixels) return;
    const box = view.canvas.getBoundingClientRect();
    this.canvas.hidden = false;
    this.canvas.style.left = `${box.left + x - SIZE / 2}px`;
    this.canvas.style.top = `${box.top + y - SIZE / 2}px`;
    const [rowSize, columnSize] = pixelSize(view.film);
    // At least three screen pixels a film pixel: a loupe over a large view still shows more.
    const scale = Math.max(view.zoom * TIMES, SMALLEST_PX / Math.min(rowSize, columnSize));
    const middle = view.toFilm([x, y]);
    this.fill(view, pixels, middle, 1 / (scale * columnSize), 1 / (scale * rowSize));
    this.pen.putImageData(this.picture, 0, 0);
    this.drawBodies(view, middle, scale * columnSize, scale * rowSize);
  }

  private fill(
    view: FilmView,
    pixels: Uint16Array,
    middle: readonly [number, number],
    stepX: number,
    stepY: number,
  ): void {
    const { rows, columns } = view.film;
    const [low, high] = view.window;
    const gain = 255 / Math.max(1, high - low);
    const out = new Uint32Array(this.picture.data.buffer);
    const half = SIZE / 2;
    for (let y = 0; y < SIZE; y += 1) {
      const row = middle[1] + (y + 0.5 - half) * stepY;
      const top = Math.floor(row);
      const fy = row - top;
      for (let x = 0; x < SIZE; x += 1) {
        const column = middle[0] + (x + 0.5 - half) * stepX;
        const left = Math.floor(column);
        let grey = 0;
        if (top >= 0 && left >= 0 && top < rows - 1 && left < columns - 1) {
          const fx = column - left;
          const at = top * columns + left;
          const upper = pixels[at]! * (1 - fx) + pixels[at + 1]! * fx;
          const lower = pixels[at + columns]! * (1 - fx) + pixels[at + columns + 1]! * fx;
          grey = Math.max(0, Math.min(255, (upper * (1 - fy) + lower * fy - low) * gain));
          if (view.isInverted) grey = 255 - grey;
        }
        out[y * SIZE + x] = 0xff000000 | (grey << 16) | (grey << 8) | (grey & 0xff);
      }
    }
  }

  private drawBodies(
    view: FilmView,
    middle: readonly [number, number],
    perColumn: number,
    perRow: number,
  ): void {
    const answer = this.store.answer(view.side.side, this.store.selection.level);
    if (answer.film !== view.film.key) return;
    const place = ([column, row]: readonly [number, number]): [number, number] => [
      SIZE / 2 + (column - middle[0]) * perColumn,
      SIZE / 2 + (row - middle[1]) * perRow,
    ];
    this.pen.strokeStyle = '#9fd0ffaa';
    this.pen.lineWidth = 1;
    this.pen.beginPath();
    for (const point of outlineOf(answer)) this.pen.lineTo(...place(point));
    this.pen.closePath();
    this.pen.stroke();
    if (!answer.six_points) return;
    this.pen.strokeStyle = '#ffffffcc';
    for (const name of LANDMARKS) {
      const [x, y] = place(answer.six_points[name]);
      this.pen.beginPath();
      this.pen.arc(x, y, 3, 0, 2 * Math.PI);
      this.pen.stroke();
    }
  }
}
