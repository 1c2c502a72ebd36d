// Words to the reader that never stand in the way: a line that screen readers speak, banners that
// stay until something is done, and a question at the foot of the films.
import { button, el, setText } from './dom.ts';

export class Notices {
  readonly root = el('div', { class: 'notices' });
  private readonly line = el('p', { class: 'status', attrs: { role: 'status', 'aria-live': 'polite' }, data: { testid: 'status' } });
  private readonly banners = new Map<string, HTMLElement>();
  private readonly question = el('div', { class: 'question', data: { testid: 'question' }, attrs: { role: 'group', 'aria-label': 'Question' } });
  private answers: { yes: () => void; no?: (() => void) | undefined } | null = null;
  private fade = 0;
  private saidAt = -Infinity;

  constructor() {
    this.question.hidden = true;
    this.root.append(this.question, this.line);
  }

  /** Said once, seen for a while. */
  say(words: string, kind: 'plain' | 'warn' = 'plain'): void {
    setText(this.line, words);
    this.saidAt = performance.now();
    this.line.className = `status shown ${kind}`;
    clearTimeout(this.fade);
    this.fade = window.setTimeout(() => this.line.classList.remove('shown'), kind === 'warn' ? 8000 : 4000);
  }

  /** For screen readers alone, after what was said a moment ago; moving about shows nothing. */
  murmur(words: string): void {
    const recent = performance.now() - this.saidAt < 100;
    if (!recent) this.line.classList.remove('shown');
    setText(this.line, recent ? `${this.line.textContent}. ${words}` : words);
  }

  /** A message that stays; `more` are links or buttons. The same id replaces the message. */
  banner(id: string, words: string, ...more: HTMLElement[]): void {
    this.drop(id);
    const node = el('div', { class: 'banner', attrs: { role: 'alert' }, data: { testid: `banner-${id}` } });
    const close = button('×', 'close this message', () => this.drop(id), { class: 'quiet' });
    node.append(el('span', { text: words }), ...more, close);
    this.banners.set(id, node);
    this.root.prepend(node);
  }

  drop(id: string): void {
    this.banners.get(id)?.remove();
    this.banners.delete(id);
  }

  get asking(): boolean {
    return this.answers !== null;
  }

  /** A question with Enter for yes and Esc for no; everything else goes on working. */
  ask(words: string, yes: () => void, no?: () => void): void {
    this.answers = { yes, no };
    this.question.replaceChildren(
      el('span', { text: words }),
      button('Yes (Enter)', 'Yes', () => this.answer(true), { class: 'primary', data: { testid: 'yes' } }),
      button('No (Esc)', 'No', () => this.answer(false), { data: { testid: 'no' } }),
    );
    this.question.hidden = false;
    this.line.classList.remove('shown');
    setText(this.line, words);
  }

  answer(yes: boolean): void {
    const answers = this.answers;
    this.answers = null;
    this.question.hidden = true;
    this.question.replaceChildren();
    if (yes) answers?.yes();
    else answers?.no?.();
  }
}
