// From a key to its deed. Text fields keep their keys; a question takes Enter and Esc; digits mean a
// reason or a cause while one is awaited; arrows move a point while one is selected.
import type { Answers } from './answer.ts';
import { bindingOf, chordOf } from './keys.ts';
import type { Notices } from './notice.ts';
import type { Actions } from './panel.ts';
import type { Pointer } from './pointer.ts';
import type { Points } from './points.ts';
import type { Store } from './state.ts';
import type { Views } from './views.ts';

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

export class Keyboard {
  constructor(
    private readonly store: Store,
    private readonly answers: Answers,
    private readonly points: Points,
    private readonly views: Views,
    private readonly pointer: Pointer,
    private readonly notices: Notices,
    private readonly actions: Actions,
    private readonly dialogs: readonly HTMLDialogElement[],
  ) {}

  listen(): void {
    addEventListener('keydown', (event) => this.down(event));
    addEventListener('keyup', (event) => this.up(event));
    addEventListener('blur', () => this.letGo());
  }

  private down(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || target.closest?.('textarea, input, select')) return;
    if (this.dialogs.some((dialog) => dialog.open)) {
      if (chordOf(event) === '?') this.actions.help();
      return;
    }
    const inButton = target.closest?.('button, a, summary') !== null;
    if (event.key === ' ') {
      if (inButton) return;
      event.preventDefault();
      this.pointer.space = true;
      document.documentElement.classList.add('space');
      return;
    }
    if (this.act(event, inButton)) event.preventDefault();
  }

  private act(event: KeyboardEvent, inButton: boolean): boolean {
    const chord = chordOf(event);
    if (this.notices.asking && (chord === 'Escape' || (chord === 'Enter' && !inButton))) {
      this.notices.answer(chord === 'Enter');
      return true;
    }
    if (/^\d$/.test(chord) && this.answers.digit(Number(chord))) return true;
    const arrow = ARROWS[event.key];
    if (arrow && this.store.point && !event.altKey && !event.ctrlKey) {
      const far = event.shiftKey ? 10 : 1;
      this.points.nudge(this.views.active, arrow[0] * far, arrow[1] * far);
      return true;
    }
    const binding = bindingOf(chord);
    if (!binding || (event.repeat && !('repeat' in binding))) return binding !== undefined;
    this.actions[binding.id]();
    return true;
  }

  private up(event: KeyboardEvent): void {
    if (event.key === ' ' || event.key.toUpperCase() === 'M') this.letGo();
  }

  private letGo(): void {
    this.pointer.space = false;
    this.pointer.loupeHeld = false;
    this.pointer.showLoupe();
    document.documentElement.classList.remove('space');
  }
}
