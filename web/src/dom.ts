// Small helpers to build the page. Text goes in as text, never as markup: names come from outside.
type Props = {
  class?: string;
  text?: string;
  title?: string;
  data?: Record<string, string>;
  attrs?: Record<string, string>;
  on?: Partial<{ [K in keyof HTMLElementEventMap]: (event: HTMLElementEventMap[K]) => void }>;
};

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (props.class) node.className = props.class;
  if (props.text !== undefined) node.textContent = props.text;
  if (props.title) node.title = props.title;
  for (const [name, value] of Object.entries(props.data ?? {})) node.dataset[name] = value;
  for (const [name, value] of Object.entries(props.attrs ?? {})) node.setAttribute(name, value);
  for (const [name, handler] of Object.entries(props.on ?? {})) {
    node.addEventListener(name, handler as EventListener);
  }
  node.append(...children);
  return node;
}

/** A button with words for the eye and, where they are short, a name for screen readers. */
export function button(
  text: string,
  label: string,
  run: () => void,
  props: Props = {},
): HTMLButtonElement {
  const node = el('button', { ...props, text }) as HTMLButtonElement;
  node.type = 'button';
  node.setAttribute('aria-label', label);
  if (!props.title) node.title = label;
  node.addEventListener('click', (event) => {
    run();
    // After a click with the mouse the keys belong to the films again.
    if (event.detail > 0) node.blur();
  });
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attrs: Record<string, string | number> = {},
): SVGElementTagNameMap[K] {
  const node = document.createElementNS(SVG, tag) as SVGElementTagNameMap[K];
  for (const [name, value] of Object.entries(attrs)) node.setAttribute(name, String(value));
  return node;
}

export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function toggleAttr(node: Element, name: string, on: boolean): void {
  if (on) node.setAttribute(name, '');
  else node.removeAttribute(name);
}

export function pressed(node: Element, on: boolean): void {
  node.setAttribute('aria-pressed', String(on));
}

/** A text that is being written is finished before anything else happens. */
export function leaveField(): void {
  const field = document.activeElement;
  if (field instanceof HTMLTextAreaElement) field.blur();
}
