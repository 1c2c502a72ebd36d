import type { Answer, CaseData, Content, Film, Point, SixPoints } from '../src/types.ts';
import { EMPTY_ANSWER } from '../src/types.ts';

const THORACIC = Array.from({ length: 12 }, (_, at) => `T${at + 1}`);
const LUMBAR = ['L1', 'L2', 'L3', 'L4', 'L5'];
const TYPICAL = ['C7', ...THORACIC, ...LUMBAR, 'S1'];
const GRADED = [...THORACIC.slice(3), 'L1', 'L2', 'L3', 'L4'];
const without = (names: readonly string[], gone: readonly string[]): string[] => names.filter((name) => !gone.includes(name));
const THIRTEEN = ['C7', ...THORACIC, 'T13', ...LUMBAR, 'S1'];

export const film: Film = {
  key: 'f1', url: '/films/X/f1', rows: 3000, columns: 1000, spacing_mm: [0.2, 0.4],
  spacing_source: 'geometry', aspect: 1, calibrated: true, notes: [],
};

export function six(column: number, row: number, width = 60, height = 50): SixPoints {
  const at = (dx: number, dy: number): Point => [column + dx, row + dy];
  return {
    sup_ant: at(-width / 2, -height / 2), sup_mid: at(0, -height / 2), sup_post: at(width / 2, -height / 2),
    inf_ant: at(-width / 2, height / 2), inf_mid: at(0, height / 2), inf_post: at(width / 2, height / 2),
  };
}

export function body(row: number, more: Partial<Answer> = {}): Answer {
  const points = six(500, row);
  const polygon = [points.sup_ant, points.sup_mid, points.sup_post, points.inf_post, points.inf_mid, points.inf_ant];
  return { ...EMPTY_ANSWER, film: 'f1', six_points: points, polygon, ...more };
}

export function content(): Content {
  const vertebrae = Object.fromEntries(GRADED.map((level, at) => [level, body(200 + 100 * at)]));
  return {
    stage: 'aided',
    sides: {
      A: { anatomy: 'typical', comment: '', vertebrae },
      B: { anatomy: 'typical', comment: '', vertebrae: { ...vertebrae } },
    },
  };
}

export function caseData(more: Partial<CaseData> = {}): CaseData {
  return {
    code: 'K1', kind: 'primary', state: 'open', version: 3, user: 'reader1', csrf: 'x',
    suggestion: 'before', blind_order: false,
    graded: { typical: GRADED, eleven_thoracic: without(GRADED, ['T12']), thirteen_thoracic: GRADED, four_lumbar: GRADED, six_lumbar: GRADED },
    levels: {
      typical: TYPICAL, eleven_thoracic: without(TYPICAL, ['T12']), thirteen_thoracic: THIRTEEN,
      four_lumbar: without(TYPICAL, ['L5']), six_lumbar: [...without(TYPICAL, ['S1']), 'L6', 'S1'],
    },
    codes: { grade: [], shape: [], reason: [['obscured', 'obscured']], sign: [], cause: [], anatomy: [['thirteen_thoracic', '13 thoracic']] },
    sides: [
      { side: 'A', title: 'Baseline', films: [film] },
      { side: 'B', title: 'Month 12', films: [film] },
    ],
    content: content(), model: null, readers: null, discordant: null, position: [1, 2], prefetch: [],
    urls: { save: '/s', reveal: '/r', sign: '/g', worklist: '/', login: '/login' },
    ...more,
  };
}
