// The reading room: puts the parts together and gives every key and button its deed.
import { Adjudication } from './adjudicate.ts';
import { Answers } from './answer.ts';
import { Bar } from './bar.ts';
import { gradedLevels, problemOf } from './complete.ts';
import { el, leaveField } from './dom.ts';
import { fetchPixels, prefetch } from './film.ts';
import { Help } from './help.ts';
import { Keyboard } from './keyboard.ts';
import { Loupe } from './loupe.ts';
import { Notices } from './notice.ts';
import { Pane } from './pane.ts';
import { Panel, type Actions } from './panel.ts';
import { Pointer } from './pointer.ts';
import { Points } from './points.ts';
import { changeAnatomy, shift, type Renamed } from './relabel.ts';
import { Session } from './session.ts';
import { loadSettings, saveSettings } from './settings.ts';
import { nearestLevel, Store, type Selection } from './state.ts';
import { Strip } from './strip.ts';
import type { CaseData, Level, SideFilms } from './types.ts';
import { startEngine, type FilmView } from './viewport.ts';
import { Views } from './views.ts';

export class Room {
  private readonly settings = loadSettings();
  private readonly notices = new Notices();
  private readonly store: Store;
  private readonly session: Session;
  private readonly answers: Answers;
  private readonly points: Points;
  private readonly panes: readonly Pane[];
  private readonly views: Views;
  private readonly pointer: Pointer;
  private readonly loupe: Loupe;
  private readonly adjudication: Adjudication;
  private readonly panel: Panel;
  private readonly strip: Strip;
  private readonly bar: Bar;
  private readonly help: Help;
  private isReady = false;

  constructor(
    private readonly root: HTMLElement,
    data: CaseData,
  ) {
    // The films are asked for first: they take longest.
    for (const { films } of data.sides) void fetchPixels(films[0]!).catch(() => undefined);
    this.store = new Store(data);
    const { store, settings, notices } = this;
    this.answers = new Answers(store, settings, notices, (at) => this.go(at), () => this.panel.note.focus());
    this.points = new Points(store, this.answers, notices, () => this.drawPlacing());
    const naming = {
      shift: (side: SideFilms, by: -1 | 1) => this.shift(side, by),
      anatomy: (side: SideFilms, anatomy: string) => this.rename(side, changeAnatomy(store.data, store.spine(side.side)!, anatomy)),
    };
    this.panes = data.sides.map((side) => new Pane(side, store, settings, naming, () => this.painted()));
    this.views = new Views(this.panes.map(({ view }) => view), store, settings, notices, async (view, film) => {
      await this.panes.find((pane) => pane.view === view)?.show(film);
    });
    this.loupe = new Loupe(root, store);
    this.pointer = new Pointer(store, this.views, this.points, this.loupe, (view, level) => this.pick(view, level));
    this.adjudication = new Adjudication(store, this.answers, notices);
    const actions = this.actions();
    this.panel = new Panel(store, this.answers, this.adjudication, actions);
    this.strip = new Strip(store, (at) => this.go(at));
    this.bar = new Bar(store, settings, actions, {
      toggle: () => this.toggleLoupe(),
      on: () => this.pointer.loupeOn,
    });
    this.help = new Help(data.kind === 'adjudication');
    this.session = new Session(store, notices, (at) => this.go(at), (state, words) => this.bar.showSave(state, words));
    this.build();
    store.on((change) => this.changed(change));
    new Keyboard(store, this.answers, this.points, this.views, this.pointer, notices, actions, [this.help.root, this.session.dialog]).listen();
  }

  async start(): Promise<void> {
    this.bar.showSave('saved', 'saved');
    this.session.openDraft();
    this.draw();
    startEngine();
    await Promise.all(this.panes.map((pane) => pane.start()));
    this.draw();
  }

  /** Once every side's first film is on the screen, the page is ready and the next case may come. */
  private painted(): void {
    if (this.isReady || !this.panes.every(({ view }) => view.isPainted)) return;
    this.isReady = true;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        document.documentElement.dataset['ready'] = 'true';
        prefetch(this.store.data.prefetch);
      }),
    );
  }

  private build(): void {
    const [first, second] = this.panes;
    const stage = el('div', { class: `stage${second ? '' : ' one'}` });
    stage.append(first!.root, this.strip.root, ...(second ? [second.root] : []), this.panel.root);
    this.root.append(this.bar.root, stage, this.notices.root, this.help.root, this.session.dialog);
    for (const pane of this.panes) this.pointer.attach(pane.view, pane.area);
  }

  private changed(change: 'content' | 'preview' | 'selection' | 'case'): void {
    if (change === 'content') this.session.changed();
    if (change === 'preview') this.session.dragged();
    if (change === 'selection') this.selected();
    this.draw();
  }

  private draw(): void {
    for (const pane of this.panes) pane.draw();
    this.strip.draw();
    this.panel.draw();
    this.bar.draw();
  }

  private selected(): void {
    const { selection, data } = this.store;
    if (this.points.placing && this.points.placing.at !== selection) this.points.stopPlacing();
    const title = data.sides.find(({ side }) => side === selection.side)?.title ?? '';
    this.notices.murmur(`${selection.level} ${title}: ${problemOf(this.store.answer()) || 'answered'}`);
  }

  /** Selects and shows a vertebra; `except` is the film that was clicked and must not jump. */
  private go(at: Selection, except?: FilmView): void {
    leaveField();
    const levels = gradedLevels(this.store.data, this.store.content, at.side);
    const level = levels.includes(at.level) ? at.level : nearestLevel(levels, at.level);
    this.answers.awaiting = null;
    this.store.select({ side: at.side, level });
    this.views.follow(except);
  }

  private pick(view: FilmView, level: Level | null): void {
    const { side } = view.side;
    const levels = gradedLevels(this.store.data, this.store.content, side);
    if (level && levels.includes(level)) this.go({ side, level }, view);
    else if (level) this.notices.say(`${level} is not graded`);
    else if (side !== this.store.selection.side) this.store.select({ side, level: this.store.selection.level });
  }

  private step(by: number): void {
    const { side, level } = this.store.selection;
    const levels = gradedLevels(this.store.data, this.store.content, side);
    const next = levels[levels.indexOf(level) + by];
    if (next) this.go({ side, level: next });
  }

  private otherSide(at: number): void {
    const side = this.panes[at]?.side.side;
    if (side && side !== this.store.selection.side) this.go({ side, level: this.store.selection.level });
  }

  private nextFilm(): void {
    const pane = this.panes.find(({ side }) => side.side === this.store.selection.side);
    if (!pane || pane.side.films.length < 2) return;
    const at = pane.side.films.indexOf(pane.view.film);
    void pane.show(pane.side.films[(at + 1) % pane.side.films.length]!);
  }

  private shift(side: SideFilms, by: -1 | 1): void {
    this.rename(side, shift(this.store.data, this.store.spine(side.side)!, by));
  }

  private rename(side: SideFilms, renamed: Renamed): void {
    if (this.store.readOnly || this.store.data.kind === 'adjudication') {
      this.notices.say('names cannot be changed in this reading', 'warn');
    } else if ('refusal' in renamed) {
      this.notices.say(`${side.title}: ${renamed.refusal}`, 'warn');
    } else {
      this.store.changeSpine(side.side, renamed.spine, renamed.words);
      this.notices.say(`${side.title}: ${renamed.words}`);
      this.views.follow();
    }
    this.draw();
  }

  private drawPlacing(): void {
    const { placing } = this.points;
    for (const pane of this.panes) {
      const here = placing?.at.side === pane.side.side;
      pane.area.classList.toggle('placing', here);
      pane.overlay.placed = here ? placing!.clicked : [];
      pane.overlay.soon();
    }
  }

  private toggle(name: 'outlines' | 'labels' | 'linked' | 'follow', words: string): void {
    this.settings[name] = !this.settings[name];
    this.keepSettings(`${words}: ${this.settings[name] ? 'on' : 'off'}`);
  }

  private cycleAdvance(): void {
    const order = ['side', 'pair', 'off'] as const;
    this.settings.advance = order[(order.indexOf(this.settings.advance) + 1) % 3]!;
    const words = { side: 'down the side', pair: 'both sides of a level', off: 'stay' };
    this.keepSettings(`after an answer: ${words[this.settings.advance]}`);
  }

  private keepSettings(words: string): void {
    saveSettings(this.settings);
    this.notices.say(words);
    this.draw();
  }

  private toggleLoupe(): void {
    this.pointer.loupeOn = !this.pointer.loupeOn;
    this.pointer.showLoupe();
    this.bar.draw();
  }

  private walk(back: boolean): void {
    if (this.store.readOnly) return;
    const words = back ? this.store.undo() : this.store.redo();
    this.notices.say(words === null ? `nothing to ${back ? 'undo' : 'redo'}` : `${back ? 'undone' : 'again'}: ${words}`);
    if (words !== null) this.views.follow();
  }

  private escape(): void {
    this.points.stopPlacing();
    this.answers.awaiting = null;
    this.store.selectPoint(null);
  }

  private actions(): Actions {
    const { answers, points, settings } = this;
    const sign = (at: number) => (): void => {
      const code = this.store.data.codes.sign[at]?.[0];
      if (code) answers.sign(code);
    };
    return {
      levelUp: () => this.step(-1),
      levelDown: () => this.step(1),
      sideLeft: () => this.otherSide(0),
      sideRight: () => this.otherSide(1),
      next: () => answers.next(),
      film: () => this.nextFilm(),
      grade0: () => answers.grade('0'),
      grade05: () => answers.grade('0.5'),
      grade1: () => answers.grade('1'),
      grade2: () => answers.grade('2'),
      grade3: () => answers.grade('3'),
      indeterminate: () => answers.grade('indeterminate'),
      notEvaluable: () => answers.grade('not_evaluable'),
      wedge: () => answers.shape('wedge'),
      biconcave: () => answers.shape('biconcave'),
      crush: () => answers.shape('crush'),
      sign0: sign(0),
      sign1: sign(1),
      sign2: sign(2),
      sign3: sign(3),
      cause: () => answers.askCause(),
      note: () => this.panel.note.focus(),
      clear: () => answers.clear(),
      normals: () => answers.normals(),
      reader1: () => this.adjudication.take(0),
      reader2: () => this.adjudication.take(1),
      point: () => points.next(1),
      pointBack: () => points.next(-1),
      place: () => points.startPlacing(this.views.active),
      removePoints: () => points.remove(),
      namesUp: () => this.shift(this.views.active.side, -1),
      namesDown: () => this.shift(this.views.active.side, 1),
      fit: () => this.views.toggleFit(),
      zoomIn: () => this.views.zoomBy(1.2),
      zoomOut: () => this.views.zoomBy(1 / 1.2),
      loupe: () => {
        this.pointer.loupeHeld = true;
        this.pointer.showLoupe();
      },
      window: () => this.views.toggleWindow(),
      invert: () => {
        this.views.invert();
        this.bar.draw();
      },
      outlines: () => this.toggle('outlines', 'outlines'),
      labels: () => this.toggle('labels', 'names'),
      link: () => this.toggle('linked', 'films linked'),
      follow: () => {
        this.toggle('follow', 'films follow the level');
        if (settings.follow) this.views.follow();
      },
      undo: () => this.walk(true),
      redo: () => this.walk(false),
      advance: () => this.cycleAdvance(),
      finish: () => void this.session.finish(),
      help: () => this.help.toggle(),
      escape: () => this.escape(),
    };
  }
}
