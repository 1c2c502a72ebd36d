import './style.css';
import { el } from './dom.ts';
import { Room } from './room.ts';
import type { CaseData } from './types.ts';

function open(): void {
  const root = document.getElementById('room');
  const block = document.getElementById('case-data');
  if (!root || !block) return;
  let data: CaseData;
  try {
    data = JSON.parse(block.textContent ?? '') as CaseData;
    if (data.sides.length === 0) throw new Error('no film');
  } catch {
    root.append(el('p', { class: 'fatal', text: 'This case cannot be shown: it came without films or incomplete.' }));
    return;
  }
  void new Room(root, data).start().catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    root.append(el('p', { class: 'fatal', text: `The films cannot be shown: ${words}` }));
  });
}

open();
