// How this reader likes the room; kept in this browser, no part of the reading.
export type Advance = 'side' | 'pair' | 'off';

export interface Settings {
  outlines: boolean;
  labels: boolean;
  linked: boolean;
  follow: boolean;
  invert: boolean;
  advance: Advance;
}

const KEY = 'zoom-viewer';
const DEFAULTS: Settings = {
  outlines: true,
  labels: true,
  linked: true,
  follow: true,
  invert: false,
  advance: 'side',
};

export function loadSettings(): Settings {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>;
    const settings = { ...DEFAULTS };
    for (const name of ['linked', 'follow'] as const) {
      if (typeof found[name] === 'boolean') settings[name] = found[name];
    }
    if (found.advance === 'pair' || found.advance === 'off') settings.advance = found.advance;
    // Outlines, labels and inversion start as everyone knows them: a hidden outline that was
    // forgotten yesterday must not look like a film without outlines today.
    return settings;
  } catch {
    return { ...DEFAULTS };
  }
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage is switched off: the settings last as long as the page.
  }
}
