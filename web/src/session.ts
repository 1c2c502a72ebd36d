// A reading from its first answer to the signature: what this browser kept, saving, two versions of
// it, a session that ends, the model's word, and the way to the signature.
import { Autosave, type SaveState } from './autosave.ts';
import { problemsOf } from './complete.ts';
import { ConflictDialog } from './conflict.ts';
import { button, el, leaveField } from './dom.ts';
import { Drafts } from './draft.ts';
import type { Notices } from './notice.ts';
import type { Selection, Store } from './state.ts';
import type { CaseData, Content, SideKey } from './types.ts';

export class Session {
  private readonly drafts: Drafts;
  private readonly autosave: Autosave;
  private readonly conflict = new ConflictDialog();
  private serverProblems: readonly (readonly string[])[] = [];

  constructor(
    private readonly store: Store,
    private readonly notices: Notices,
    private readonly go: (selection: Selection) => void,
    showSave: (state: SaveState, words: string) => void,
  ) {
    this.drafts = new Drafts(store.data.user, store.data.code, localStorage);
    this.autosave = new Autosave(store, this.drafts, {
      state: showSave,
      problems: (problems) => {
        this.serverProblems = problems;
      },
      loggedOut: () => this.loggedOut(),
      refused: (words) => notices.banner('save', `Not saved: ${words}. Your answers are kept in this browser.`),
      conflict: (version, theirs) => void this.resolve(version, theirs, 'It was also saved elsewhere, in another tab or by someone else.'),
    });
  }

  get dialog(): HTMLDialogElement {
    return this.conflict.root;
  }

  changed(): void {
    this.autosave.changed();
  }

  dragged(): void {
    this.autosave.dragged();
  }

  openDraft(): void {
    const { data } = this.store;
    const found = this.drafts.onLoad(data.version, data.content);
    if (found.kind === 'none') return;
    if (this.store.readOnly) {
      const discard = button('Discard it', 'discard the draft', () => {
        this.drafts.remove();
        this.notices.drop('draft');
      });
      this.notices.banner('draft', 'This reading is signed. A draft that was never saved is still in this browser.', discard);
    } else if (found.kind === 'apply') {
      this.store.change(found.content, 'unsaved answers of this browser');
      this.store.selectFirst();
      this.notices.say('unsaved answers of this browser were brought back');
    } else {
      // Until the reader has chosen nothing may be sent: the draft is not in the store yet.
      this.autosave.suspend();
      this.store.content = found.content;
      void this.resolve(data.version, data.content, 'This browser has answers that were not saved, and the server has newer ones.');
    }
  }

  async finish(): Promise<void> {
    const { data } = this.store;
    leaveField();
    if (this.store.readOnly) {
      location.assign(data.urls.worklist);
      return;
    }
    const [problem] = problemsOf(data, this.store.content);
    if (problem) {
      this.go(problem);
      this.notices.say(`${problem.level}: ${problem.words}`, 'warn');
      return;
    }
    if (!(await this.autosave.now())) {
      this.notices.say('not saved yet: finish when it is', 'warn');
      return;
    }
    const [told] = this.serverProblems;
    if (told) {
      // The server has the last word; this page only knows the same rules.
      this.go({ side: told[0] as SideKey, level: told[1] ?? '' });
      this.notices.say(`${told[1]}: ${told[2]}`, 'warn');
      return;
    }
    if (data.suggestion === 'after' && this.store.content.stage === 'unaided') {
      this.notices.ask("Show the model's suggestions now? Your unaided answers are then fixed in the record; you may revise them.", () => void this.reveal());
      return;
    }
    location.assign(data.urls.sign);
  }

  private async reveal(): Promise<void> {
    if (!(await this.autosave.now())) {
      this.notices.say('not saved yet', 'warn');
      return;
    }
    const { data } = this.store;
    try {
      const response = await fetch(data.urls.reveal, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': data.csrf },
        body: JSON.stringify({ version: this.store.version }),
        credentials: 'same-origin',
      });
      const answer = (await response.json()) as CaseData & { reason?: string; content: Content };
      if (response.ok) {
        this.store.replaceCase(answer);
        this.autosave.rebase(answer.version, answer.content);
        this.notices.say("the model's suggestions are shown: revise, or finish");
      } else if (response.status === 401) this.loggedOut();
      else if (response.status === 409 && answer.content) void this.resolve(answer.version, answer.content, 'It was also saved elsewhere.');
      else this.notices.say(answer.reason ?? `the server refused (${response.status})`, 'warn');
    } catch {
      this.notices.say('no connection: the suggestions cannot be shown now', 'warn');
    }
  }

  private async resolve(version: number, theirs: Content, why: string): Promise<void> {
    const mine = this.store.content;
    const chosen = await this.conflict.choose(this.store.data, mine, theirs, why);
    this.autosave.rebase(version, theirs);
    this.store.change(chosen, 'choice between two versions');
    this.notices.say('two versions joined; undo brings yours back');
  }

  private loggedOut(): void {
    const { urls } = this.store.data;
    const next = encodeURIComponent(location.pathname + location.search);
    const join = urls.login.includes('?') ? '&' : '?';
    const link = el('a', { text: 'Log in again', attrs: { href: `${urls.login}${join}next=${next}` }, data: { testid: 'login-again' } });
    this.notices.banner('login', 'Your session is over. Your answers are kept in this browser and saved when you are back.', link);
  }
}
