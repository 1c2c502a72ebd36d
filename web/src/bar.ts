// The bar at the top: which case, how far, whether it is saved, and a button for every tool.
import { answerOf, gradedLevels, isOpen, neededCount, problemsOf } from './complete.ts';
import { button, el, pressed, setText } from './dom.ts';
import { keyOf, wordsOf, type ActionId } from './keys.ts';
import type { Actions } from './panel.ts';
import type { Settings } from './settings.ts';
import type { SaveState } from './autosave.ts';
import type { Store } from './state.ts';
import type { SideKey } from './types.ts';

const ADVANCE_WORDS = { side: 'Next: down', pair: 'Next: pair', off: 'Next: stay' } as const;

export class Bar {
  readonly root = el('header', { class: 'topbar' });
  private readonly progress = el('span', { class: 'progress', data: { testid: 'progress' } });
  private readonly save = el('span', { class: 'save', data: { testid: 'save-state' }, attrs: { 'aria-live': 'polite' } });
  private readonly undo: HTMLButtonElement;
  private readonly redo: HTMLButtonElement;
  private readonly advance: HTMLButtonElement;
  private readonly normals: HTMLButtonElement;
  private readonly finish: HTMLButtonElement;
  private readonly toggles: [HTMLButtonElement, () => boolean][] = [];

  constructor(
    private readonly store: Store,
    private readonly settings: Settings,
    private readonly actions: Actions,
    loupe: { toggle: () => void; on: () => boolean },
  ) {
    const { data } = store;
    const home = el('a', { text: '‹ Worklist', class: 'home', attrs: { href: data.urls.worklist } });
    this.undo = this.tool('undo', '↶', 'undo');
    this.redo = this.tool('redo', '↷', 'redo');
    this.advance = this.tool('advance', ADVANCE_WORDS.side, 'after an answer');
    this.normals = this.tool('normals', 'Rest = 0', 'rest of this side grade 0');
    this.finish = this.tool('finish', 'Finish', 'finish');
    this.finish.classList.add('primary');
    const glass = button('Loupe', `loupe (${keyOf('loupe')} while held)`, loupe.toggle, { data: { testid: 'loupe' } });
    this.toggles.push([glass, loupe.on]);
    this.root.append(
      home,
      el('span', { class: 'case' }, el('b', { text: data.code, data: { testid: 'code' } }), el('span', { text: `${data.position[0]} of ${data.position[1]}` })),
      ...(data.kind === 'adjudication' ? [el('span', { class: 'kind', text: 'Adjudication' })] : []),
      ...(data.state === 'signed' ? [el('span', { class: 'kind signed', text: 'Signed: read only', data: { testid: 'signed' } })] : []),
      this.progress,
      this.save,
      el('span', { class: 'spring' }),
      tools(this.undo, this.redo),
      tools(
        this.toggle('outlines', 'Outlines', () => settings.outlines),
        this.toggle('labels', 'Names', () => settings.labels),
        this.toggle('link', 'Linked', () => settings.linked),
        this.toggle('follow', 'Follow', () => settings.follow),
        this.toggle('invert', 'Invert', () => settings.invert),
        glass,
        this.tool('window', 'Window', 'window'),
        this.tool('fit', 'Fit', 'fit'),
        this.tool('zoomOut', '−', 'smaller'),
        this.tool('zoomIn', '+', 'larger'),
      ),
      tools(this.normals, this.advance),
      tools(this.tool('help', '?', 'help'), this.finish),
    );
  }

  draw(): void {
    const { data, content } = this.store;
    const needed = neededCount(data, content);
    const open = problemsOf(data, content).length;
    setText(this.progress, `${needed - open} / ${needed} answered`);
    this.progress.classList.toggle('complete', open === 0);
    this.undo.disabled = !this.store.canUndo || this.store.readOnly;
    this.redo.disabled = !this.store.canRedo || this.store.readOnly;
    this.normals.disabled = this.store.readOnly || data.kind === 'adjudication' || !this.anyOpen(this.store.selection.side);
    const reveals = data.suggestion === 'after' && content.stage === 'unaided';
    setText(this.finish, this.store.readOnly ? 'Back' : reveals && open === 0 ? 'Reveal' : 'Finish');
    this.finish.classList.toggle('ready', open === 0);
    setText(this.advance, ADVANCE_WORDS[this.settings.advance]);
    for (const [node, on] of this.toggles) pressed(node, on());
  }

  showSave(state: SaveState, words: string): void {
    document.documentElement.dataset['saveState'] = state;
    setText(this.save, this.store.readOnly ? '' : words);
    this.save.dataset['state'] = state;
  }

  private anyOpen(side: SideKey): boolean {
    const { data, content } = this.store;
    return gradedLevels(data, content, side).some(
      (level) => answerOf(content, side, level).grade === null && isOpen(data, side, level),
    );
  }

  private tool(id: ActionId, text: string, label: string): HTMLButtonElement {
    return button(text, label, this.actions[id], { title: `${wordsOf(id)} (${keyOf(id)})`, data: { testid: id } });
  }

  private toggle(id: ActionId, text: string, on: () => boolean): HTMLButtonElement {
    const node = this.tool(id, text, text);
    this.toggles.push([node, on]);
    return node;
  }
}

function tools(...nodes: Node[]): HTMLElement {
  return el('span', { class: 'tools' }, ...nodes);
}
