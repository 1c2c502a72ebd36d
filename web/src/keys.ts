// The one table of keys. The dispatcher reads it, and the help overlay and the tooltips of the
// buttons are written from it, so that no key can exist without being told.
export interface Binding {
  readonly id: string;
  readonly keys: readonly string[];
  readonly group: string;
  readonly words: string;
  /** Also works while the key is held down (moving, zooming). */
  readonly repeat?: boolean;
}

export const KEYS = [
  { id: 'levelUp', keys: ['W', 'ArrowUp'], group: 'Move', words: 'level up', repeat: true },
  { id: 'levelDown', keys: ['S', 'ArrowDown'], group: 'Move', words: 'level down', repeat: true },
  { id: 'sideLeft', keys: ['A', 'ArrowLeft'], group: 'Move', words: 'left side' },
  { id: 'sideRight', keys: ['D', 'ArrowRight'], group: 'Move', words: 'right side' },
  { id: 'next', keys: ['G'], group: 'Move', words: 'next vertebra without an answer' },
  { id: 'film', keys: ['T'], group: 'Move', words: 'next film of this side' },

  { id: 'grade0', keys: ['0'], group: 'Answer', words: 'grade 0, normal' },
  { id: 'grade05', keys: ['5', '.', ','], group: 'Answer', words: 'grade 0.5, borderline' },
  { id: 'grade1', keys: ['1'], group: 'Answer', words: 'grade 1, mild' },
  { id: 'grade2', keys: ['2'], group: 'Answer', words: 'grade 2, moderate' },
  { id: 'grade3', keys: ['3'], group: 'Answer', words: 'grade 3, severe' },
  { id: 'indeterminate', keys: ['4', 'I'], group: 'Answer', words: 'indeterminate' },
  { id: 'notEvaluable', keys: ['X'], group: 'Answer', words: 'not evaluable, then 1–9 for the reason' },
  { id: 'wedge', keys: ['Q'], group: 'Answer', words: 'shape: wedge' },
  { id: 'biconcave', keys: ['E'], group: 'Answer', words: 'shape: biconcave' },
  { id: 'crush', keys: ['R'], group: 'Answer', words: 'shape: crush' },
  { id: 'sign0', keys: ['6'], group: 'Answer', words: 'sign: superior endplate depression' },
  { id: 'sign1', keys: ['7'], group: 'Answer', words: 'sign: inferior endplate depression' },
  { id: 'sign2', keys: ['8'], group: 'Answer', words: 'sign: endplate discontinuity' },
  { id: 'sign3', keys: ['9'], group: 'Answer', words: 'sign: cortical buckling' },
  { id: 'cause', keys: ['C'], group: 'Answer', words: 'cause other than fracture, then 1–9 (0 none)' },
  { id: 'note', keys: ['V'], group: 'Answer', words: 'write a note (Enter or Esc: back)' },
  { id: 'clear', keys: ['Backspace'], group: 'Answer', words: 'clear this answer' },
  { id: 'normals', keys: ['Shift+N'], group: 'Answer', words: 'rest of this side: grade 0 where nothing is flagged' },

  { id: 'reader1', keys: ['Shift+Q'], group: 'Adjudication', words: "take the first reader's answer" },
  { id: 'reader2', keys: ['Shift+E'], group: 'Adjudication', words: "take the second reader's answer" },

  { id: 'point', keys: ['B'], group: 'Points', words: 'select the next point, then arrows 1 px, Shift+arrows 10 px' },
  { id: 'pointBack', keys: ['Shift+B'], group: 'Points', words: 'select the point before' },
  { id: 'place', keys: ['P'], group: 'Points', words: 'place points with a click (again: six clicks)' },
  { id: 'removePoints', keys: ['Shift+P'], group: 'Points', words: 'remove the points of this vertebra' },
  { id: 'namesUp', keys: ['Alt+ArrowUp'], group: 'Points', words: 'all names of this side one level up' },
  { id: 'namesDown', keys: ['Alt+ArrowDown'], group: 'Points', words: 'all names of this side one level down' },

  { id: 'fit', keys: ['F'], group: 'View', words: 'whole film, and back to the vertebra' },
  { id: 'zoomIn', keys: ['+', '='], group: 'View', words: 'larger', repeat: true },
  { id: 'zoomOut', keys: ['-'], group: 'View', words: 'smaller', repeat: true },
  { id: 'loupe', keys: ['M'], group: 'View', words: 'loupe at the pointer, while held', repeat: true },
  { id: 'window', keys: ['Y'], group: 'View', words: 'window to this vertebra, and back to the whole range' },
  { id: 'invert', keys: ['J'], group: 'View', words: 'invert' },
  { id: 'outlines', keys: ['H'], group: 'View', words: 'hide or show outlines and points' },
  { id: 'labels', keys: ['L'], group: 'View', words: 'hide or show names of levels' },
  { id: 'link', keys: ['K'], group: 'View', words: 'link both films' },
  { id: 'follow', keys: ['Shift+F'], group: 'View', words: 'films follow the selected level' },

  { id: 'undo', keys: ['Z', 'Ctrl+Z'], group: 'Reading', words: 'undo' },
  { id: 'redo', keys: ['Shift+Z', 'Ctrl+Shift+Z', 'Ctrl+Y'], group: 'Reading', words: 'redo' },
  { id: 'advance', keys: ['Shift+A'], group: 'Reading', words: 'after an answer: down the side, both sides of a level, stay' },
  { id: 'finish', keys: ['Shift+Enter', 'Ctrl+Enter'], group: 'Reading', words: 'finish: to the signature, or to what is missing' },
  { id: 'help', keys: ['?'], group: 'Reading', words: 'this help' },
  { id: 'escape', keys: ['Escape'], group: 'Reading', words: 'leave a mode, close a question' },
] as const satisfies readonly Binding[];

export type ActionId = (typeof KEYS)[number]['id'];

export const MOUSE: readonly (readonly [string, string])[] = [
  ['wheel', 'zoom at the pointer'],
  ['drag', 'move the film (also middle button, Space + drag)'],
  ['right drag', 'window: sideways width, up and down level'],
  ['drag a point', 'move it; the outline and the heights follow'],
  ['click an outline', 'select that vertebra'],
  ['double click', 'whole film, and back'],
];

const NAMES: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

/** A key event as the table writes it: `Ctrl+Shift+Z`, `Shift+Q`, `?`. */
export function chordOf(event: {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}): string {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  let name: string;
  let shift = event.shiftKey;
  if (digit !== undefined && !event.altKey) {
    name = digit;
    // French keyboards need Shift for a digit: then it is the digit that was meant.
    if (event.key === digit) shift = false;
  } else if (event.key.length === 1) {
    name = event.key.toUpperCase();
    // Signs such as ? or + need Shift on some keyboards and not on others.
    if (!/^\p{L}$/u.test(name)) shift = false;
    // Where the layout has other letters (Cyrillic, Greek), the place of the key counts.
    else if (!/^[A-Z]$/.test(name)) name = /^Key([A-Z])$/.exec(event.code)?.[1] ?? name;
  } else {
    name = event.key;
  }
  const ctrl = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  return ctrl + (event.altKey ? 'Alt+' : '') + (shift ? 'Shift+' : '') + name;
}

const BY_CHORD: ReadonlyMap<string, Binding & { id: ActionId }> = new Map(
  KEYS.flatMap((binding) => binding.keys.map((key) => [key as string, binding] as const)),
);

export function bindingOf(chord: string): (Binding & { id: ActionId }) | undefined {
  return BY_CHORD.get(chord);
}

export function keyName(chord: string): string {
  return chord
    .split('+')
    .map((part) => NAMES[part] ?? part)
    .join('+')
    .replace(/^\+\+?$/, '+');
}

/** The first key of an action, for tooltips. */
export function keyOf(id: ActionId): string {
  return keyName(KEYS.find((binding) => binding.id === id)!.keys[0]);
}

export function wordsOf(id: ActionId): string {
  return KEYS.find((binding) => binding.id === id)!.words;
}
