import { describe, expect, it } from 'vitest';
import { KEYS, bindingOf, chordOf } from '../src/keys.ts';

const press = (key: string, code: string, held: Partial<Record<'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey', boolean>> = {}): string =>
  chordOf({ key, code, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...held });

describe('keys', () => {
  it('mean one thing each', () => {
    const all = KEYS.flatMap(({ keys }) => [...keys] as string[]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('are read on any keyboard', () => {
    expect(press('w', 'KeyW')).toBe('W');
    expect(press('W', 'KeyW', { shiftKey: true })).toBe('Shift+W');
    expect(press('&', 'Digit1')).toBe('1');
    expect(press('1', 'Digit1', { shiftKey: true })).toBe('1');
    expect(press('2', 'Numpad2')).toBe('2');
    expect(press('?', 'Slash', { shiftKey: true })).toBe('?');
    expect(press('ц', 'KeyW')).toBe('W');
    expect(press('z', 'KeyZ', { metaKey: true })).toBe('Ctrl+Z');
    expect(press('ArrowUp', 'ArrowUp', { altKey: true })).toBe('Alt+ArrowUp');
  });

  it('leave the browser its own', () => {
    expect(bindingOf(press('r', 'KeyR', { ctrlKey: true }))).toBeUndefined();
    expect(bindingOf(press('0', 'Digit0', { ctrlKey: true }))).toBeUndefined();
    expect(bindingOf('Tab')).toBeUndefined();
  });
});
