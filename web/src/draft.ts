// What was typed and dragged but is not yet on the server, kept in this browser. A draft knows the
// version that it is based on; a draft of an older version is never applied over newer answers.
import type { Answer, Content, SideKey } from './types.ts';
import { EMPTY_ANSWER } from './types.ts';

export interface Draft {
  readonly version: number;
  readonly content: Content;
  /** Mark of the content that was on its way to the server when this was written; "" if none. */
  readonly sent: string;
}

export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'apply'; readonly content: Content }
  | { readonly kind: 'conflict'; readonly content: Content };

export class Drafts {
  readonly key: string;

  constructor(
    user: string,
    code: string,
    private readonly shelf: Shelf,
  ) {
    this.key = `zoom-draft:${user}:${code}`;
  }

  /** False when the browser refuses (storage full or switched off). */
  write(draft: Draft): boolean {
    try {
      this.shelf.setItem(this.key, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  read(): Draft | null {
    try {
      const found: unknown = JSON.parse(this.shelf.getItem(this.key) ?? 'null');
      return isDraft(found) ? found : null;
    } catch {
      return null;
    }
  }

  remove(): void {
    try {
      this.shelf.removeItem(this.key);
    } catch {
      // Storage is switched off: there is nothing to remove.
    }
  }

  /** What to do with a draft when the page opens on `version` and `content` of the server. */
  onLoad(version: number, content: Content): Found {
    const draft = this.read();
    if (!draft) return { kind: 'none' };
    if (sameContent(draft.content, content)) {
      // The save arrived, the answer to it did not.
      this.remove();
      return { kind: 'none' };
    }
    const next = draft.version === version || (draft.sent !== '' && draft.sent === mark(content));
    return { kind: next ? 'apply' : 'conflict', content: draft.content };
  }
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== 'object' || value === null) return false;
  const { version, content } = value as Partial<Draft>;
  return typeof version === 'number' && typeof content === 'object' && content !== null && 'sides' in content;
}

/** Text that is equal for equal content, whatever the order of keys and with defaults left out. */
export function canonical(content: Content): string {
  const sides = (Object.keys(content.sides) as SideKey[]).sort().map((side) => {
    const spine = content.sides[side]!;
    const vertebrae = Object.keys(spine.vertebrae)
      .sort()
      .map((level) => [level, canonicalAnswer(spine.vertebrae[level]!)] as const)
      .filter(([, answer]) => answer !== EMPTY);
    return [side, spine.anatomy, spine.comment, vertebrae];
  });
  return JSON.stringify([content.stage, sides]);
}

export function canonicalAnswer(answer: Answer): string {
  const full = { ...EMPTY_ANSWER, ...answer };
  const six = full.six_points;
  return JSON.stringify([
    full.film,
    full.grade,
    full.reason,
    full.note,
    full.shape,
    [...full.signs].sort(),
    full.cause,
    six && [six.sup_ant, six.sup_mid, six.sup_post, six.inf_ant, six.inf_mid, six.inf_post],
    full.polygon,
    full.moved,
  ]);
}

const EMPTY = canonicalAnswer(EMPTY_ANSWER);

export function sameContent(one: Content, two: Content): boolean {
  return one === two || canonical(one) === canonical(two);
}

/** A short mark of a content (FNV-1a twice, 64 bits): tells equal from different, guards nothing. */
export function mark(content: Content): string {
  const text = canonical(content);
  let one = 0x811c9dc5;
  let two = 0x9747b28c;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ (code + at), 0x01000193);
  }
  return (one >>> 0).toString(16) + (two >>> 0).toString(16);
}
