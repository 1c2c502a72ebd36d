// The key map, written from the table of keys itself.
import { button, el } from './dom.ts';
import { KEYS, MOUSE, keyName } from './keys.ts';

export class Help {
  readonly root: HTMLDialogElement = el('dialog', { class: 'help', attrs: { 'aria-label': 'Keys' }, data: { testid: 'help-dialog' } });

  constructor(adjudication: boolean) {
    const groups = new Map<string, HTMLElement>();
    const columns = el('div', { class: 'key-columns' });
    const section = (name: string): HTMLElement => {
      let node = groups.get(name);
      if (!node) {
        node = el('dl', {}, el('h2', { text: name }));
        groups.set(name, node);
        columns.append(node);
      }
      return node;
    };
    for (const { group, keys, words } of KEYS) {
      if (group === 'Adjudication' && !adjudication) continue;
      section(group).append(row(keys.map(keyName), words));
    }
    for (const [what, words] of MOUSE) section('Mouse').append(row([what], words));
    this.root.append(
      el('header', {}, el('h1', { text: 'Keys' }), button('Close (Esc)', 'close', () => this.root.close())),
      columns,
    );
  }

  toggle(): void {
    if (this.root.open) this.root.close();
    else this.root.showModal();
  }
}

function row(keys: readonly string[], words: string): HTMLElement {
  return el('div', {}, el('dt', {}, ...keys.map((key) => el('kbd', { text: key }))), el('dd', { text: words }));
}
