// The data of the reading page, as the server writes and takes it (zoom_imaging/review).

/** [column, row], 0-based pixel centres of the stored image. */
export type Point = readonly [number, number];

export const LANDMARKS = ['sup_ant', 'sup_mid', 'sup_post', 'inf_ant', 'inf_mid', 'inf_post'] as const;
export type Landmark = (typeof LANDMARKS)[number];
export type SixPoints = Readonly<Record<Landmark, Point>>;

export type SideKey = 'A' | 'B';
export type Level = string;
export type Grade = '0' | '0.5' | '1' | '2' | '3' | 'indeterminate' | 'not_evaluable';
export type Shape = 'none' | 'wedge' | 'biconcave' | 'crush';

export interface Answer {
  readonly film: string;
  readonly grade: Grade | null;
  readonly reason: string | null;
  readonly note: string;
  readonly shape: Shape;
  readonly signs: readonly string[];
  readonly cause: string | null;
  readonly six_points: SixPoints | null;
  readonly polygon: readonly Point[];
  readonly moved: boolean;
}

export interface Spine {
  readonly anatomy: string;
  readonly comment: string;
  readonly vertebrae: Readonly<Record<Level, Answer>>;
}

export interface Content {
  readonly stage: 'unaided' | 'aided';
  readonly sides: Readonly<Partial<Record<SideKey, Spine>>>;
}

export interface Film {
  readonly key: string;
  readonly url: string;
  readonly rows: number;
  readonly columns: number;
  /** [row, column] in mm, or null where the film has no scale. */
  readonly spacing_mm: readonly [number, number] | null;
  readonly spacing_source: string;
  /** Height of a pixel over its width. */
  readonly aspect: number;
  readonly calibrated: boolean;
  readonly notes: readonly string[];
}

export interface SideFilms {
  readonly side: SideKey;
  readonly title: string;
  readonly films: readonly Film[];
}

/** What the model says of one vertebra. */
export interface Suggestion {
  readonly grade: string;
  readonly shape: string;
  readonly p: readonly number[] | null;
  readonly state: string;
  readonly reason: string;
  readonly flagged: boolean;
  readonly film: string;
  readonly six_points: SixPoints | null;
  readonly polygon: readonly Point[];
}

export type Codes = readonly (readonly [string, string])[];

export interface CaseData {
  readonly code: string;
  readonly kind: 'primary' | 'adjudication';
  readonly state: 'open' | 'signed';
  readonly version: number;
  readonly user: string;
  readonly csrf: string;
  readonly suggestion: 'before' | 'after' | 'never';
  readonly blind_order: boolean;
  readonly graded: Readonly<Record<string, readonly Level[]>>;
  readonly levels: Readonly<Record<string, readonly Level[]>>;
  readonly codes: {
    readonly grade: Codes;
    readonly shape: Codes;
    readonly reason: Codes;
    readonly sign: Codes;
    readonly cause: Codes;
    readonly anatomy: Codes;
  };
  readonly sides: readonly SideFilms[];
  readonly content: Content;
  readonly model: Readonly<Partial<Record<SideKey, Readonly<Record<Level, Suggestion>>>>> | null;
  readonly readers: readonly { readonly name: string; readonly content: Content }[] | null;
  readonly discordant: readonly (readonly [SideKey, Level])[] | null;
  readonly position: readonly [number, number];
  readonly prefetch: readonly string[];
  readonly urls: {
    readonly save: string;
    readonly reveal: string;
    readonly sign: string;
    readonly worklist: string;
    readonly login: string;
  };
}

export const EMPTY_ANSWER: Answer = {
  film: '',
  grade: null,
  reason: null,
  note: '',
  shape: 'none',
  signs: [],
  cause: null,
  six_points: null,
  polygon: [],
  moved: false,
};
