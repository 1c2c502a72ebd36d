// Films: raw grey values over HTTP, handed to Cornerstone as images of its own kind. No DICOM and no
// codec reaches the browser; the server has applied every LUT (16 bit, bone bright).
import { Enums, imageLoader, metaData, type Types } from '@cornerstonejs/core';
import { pixelSize } from './measure.ts';
import type { Film } from './types.ts';

const SCHEME = 'zoom';
const films = new Map<string, { film: Film; pixels: Uint16Array | null }>();

export class FilmError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function imageIdOf(film: Film): string {
  const id = `${SCHEME}:${film.url}`;
  if (!films.has(id)) films.set(id, { film, pixels: null });
  return id;
}

/** The grey values of a film that is loaded; null before that. */
export function pixelsOf(film: Film): Uint16Array | null {
  return films.get(imageIdOf(film))?.pixels ?? null;
}

export function registerFilms(): void {
  imageLoader.registerImageLoader(SCHEME, (imageId) => ({
    promise: load(imageId),
  }));
  metaData.addProvider((type: string, imageId: unknown) => {
    const entry = typeof imageId === 'string' ? films.get(imageId) : undefined;
    return entry && moduleOf(type, entry.film);
  }, 10_000);
}

async function load(imageId: string): Promise<Types.IImage> {
  const entry = films.get(imageId);
  if (!entry) throw new FilmError(0, `unknown film ${imageId}`);
  entry.pixels ??= await fetchPixels(entry.film);
  return imageOf(imageId, entry.film, entry.pixels);
}

// A film asked for early (before WebGL is up) and again by Cornerstone is one request.
const pending = new Map<string, Promise<Uint16Array>>();

export function fetchPixels(film: Film): Promise<Uint16Array> {
  let promise = pending.get(film.url);
  if (!promise) {
    promise = request(film).finally(() => pending.delete(film.url));
    pending.set(film.url, promise);
  }
  return promise;
}

async function request(film: Film): Promise<Uint16Array> {
  const response = await fetch(film.url, { credentials: 'same-origin', priority: 'high' });
  if (!response.ok) {
    const words = response.status === 401 ? 'the session is over' : `the server says ${response.status}`;
    throw new FilmError(response.status, words);
  }
  const buffer = await response.arrayBuffer();
  if (buffer.byteLength !== film.rows * film.columns * 2) {
    throw new FilmError(0, 'the film arrived incomplete');
  }
  const pixels = new Uint16Array(buffer);
  const entry = films.get(imageIdOf(film));
  if (entry) entry.pixels = pixels;
  return pixels;
}

/** The films of the next case, into the HTTP cache; failing is no harm. */
export function prefetch(urls: readonly string[]): void {
  const next = async (): Promise<void> => {
    for (const url of urls) {
      try {
        const response = await fetch(url, { credentials: 'same-origin', priority: 'low' });
        await response.arrayBuffer();
      } catch {
        return;
      }
    }
  };
  if ('requestIdleCallback' in window) requestIdleCallback(() => void next(), { timeout: 3000 });
  else setTimeout(() => void next(), 500);
}

function imageOf(imageId: string, film: Film, pixels: Uint16Array): Types.IImage {
  let low = 65535;
  let high = 0;
  for (const value of pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const [row, column] = pixelSize(film);
  const image = {
    imageId,
    minPixelValue: low,
    maxPixelValue: high,
    slope: 1,
    intercept: 0,
    windowCenter: 32768,
    windowWidth: 65536,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    getPixelData: () => pixels,
    getCanvas: () => undefined,
    rows: film.rows,
    columns: film.columns,
    height: film.rows,
    width: film.columns,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    dataType: 'Uint16Array',
    photometricInterpretation: 'MONOCHROME2',
    invert: false,
    rowPixelSpacing: row,
    columnPixelSpacing: column,
    sizeInBytes: pixels.byteLength,
    // Cornerstone empties this when it takes the pixels over.
    imageFrame: {},
  };
  return image as unknown as Types.IImage;
}

function moduleOf(type: string, film: Film): unknown {
  const [row, column] = pixelSize(film);
  switch (type) {
    case Enums.MetadataModules.IMAGE_PIXEL:
      return {
        bitsAllocated: 16,
        bitsStored: 16,
        highBit: 15,
        samplesPerPixel: 1,
        pixelRepresentation: 0,
        photometricInterpretation: 'MONOCHROME2',
        rows: film.rows,
        columns: film.columns,
      };
    case Enums.MetadataModules.IMAGE_PLANE:
      return {
        frameOfReferenceUID: film.url,
        rows: film.rows,
        columns: film.columns,
        imageOrientationPatient: [1, 0, 0, 0, 1, 0],
        rowCosines: [1, 0, 0],
        columnCosines: [0, 1, 0],
        imagePositionPatient: [0, 0, 0],
        sliceThickness: 1,
        sliceLocation: 0,
        pixelSpacing: [row, column],
        rowPixelSpacing: row,
        columnPixelSpacing: column,
      };
    case Enums.MetadataModules.VOI_LUT:
      return { windowCenter: [32768], windowWidth: [65536] };
    case Enums.MetadataModules.MODALITY_LUT:
      return { rescaleSlope: 1, rescaleIntercept: 0 };
    case Enums.MetadataModules.GENERAL_SERIES:
      return { modality: 'DX' };
    default:
      return undefined;
  }
}
