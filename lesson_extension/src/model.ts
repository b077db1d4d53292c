/**
 * The lesson as the panel knows it, and what a student can do in it. Draws nothing.
 *
 * Design choices: the state is one frozen value that is replaced as a whole, so that the panel
 * draws from it and tests compare it. The lesson is asked for again every few seconds while the
 * tab is visible, and at once when it becomes visible: that is how a check from the terminal or
 * from another tab shows up here, without an open connection for each of thousands of tabs. An
 * attempt that somebody waits for is followed by one waiting GET on top of that. Answers that were
 * asked for before the state was last changed are thrown away (`epoch`), or a slow answer would
 * untick a step.
 */
import { Signal, type ISignal } from '@lumino/signaling';

import { MachineStopped, Refused, Unreachable, type LessonApi } from './request';
import { Sending } from './sending';
import {
  isNews,
  nextOpenStep,
  stepBeside,
  stepOf,
  type Activity,
  type Announcement,
  type LessonState,
  type Notice,
} from './state';
import type { Attempt, Lesson } from './wire';

/** Milliseconds between two looks at the lesson while the tab is visible. */
export const REFRESH_MS = 4_000;
/** Seconds that one waiting GET waits for an attempt. */
export const WAIT_S = 20;
/** Milliseconds at least between two waiting GETs, should the server not wait. */
export const FOLLOW_MS = 700;
/** Milliseconds before the first new try when nothing answers; doubles up to the last. */
export const RETRY_MS = { first: 2_000, last: 30_000 } as const;

/** Keeps small texts of this machine from one visit to the next. */
export interface Memory {
  /** Give what was kept under `key`, or null. */
  read(key: string): Promise<string | null>;
  /** Keep `value` under `key`. */
  write(key: string, value: string): Promise<void>;
}

/** What the model needs from outside. */
export interface LessonModelOptions {
  readonly api: LessonApi;
  readonly memory: Memory;
  readonly locale: string;
  /** Saves the documents that are open and changed. */
  readonly saveDocuments: () => Promise<void>;
  /** Gives the text of a file below the home folder; null where there is no such text file. */
  readonly readFile: (path: string) => Promise<string | null>;
  /** Gives 32 hex digits that nobody else gives. */
  readonly makeKey: () => string;
}

/** Folder of the student's files, which the paths of a solution are below. */
const WORK = 'work';

function theoryKey(lesson: Lesson): string {
  return `theory:${lesson.course.name}/${lesson.lesson.name}`;
}

/** The lesson, live. */
export class LessonModel {
  constructor(private readonly options: LessonModelOptions) {
    this._state = {
      locale: options.locale,
      lesson: null,
      attempts: {},
      openStep: null,
      isTheoryOpen: true,
      activity: null,
      busy: null,
      connection: { kind: 'loading' },
      problem: null,
      notice: null,
      history: {},
      solution: null,
      yours: {},
      announcement: null,
    };
  }

  /** Emitted after every change of {@link state}. */
  get changed(): ISignal<this, LessonState> {
    return this._changed;
  }

  /** What is known now. */
  get state(): LessonState {
    return this._state;
  }

  /** Resolves with the lesson when it is known first. */
  get ready(): Promise<Lesson> {
    return this._ready;
  }

  /** Begin to look at the lesson, and keep looking while the tab is visible. */
  async start(): Promise<void> {
    await this.refresh();
  }

  /** Stop looking, and end every wait. */
  dispose(): void {
    clearTimeout(this._timer);
    this._abort.abort();
    this._sending?.cancel();
    Signal.clearData(this);
  }

  /** Say whether anybody can see the panel; becoming visible looks at the lesson at once. */
  setVisible(isVisible: boolean): void {
    this._isVisible = isVisible;
    if (isVisible) {
      void this.refresh();
    } else {
      clearTimeout(this._timer);
    }
  }

  /** Unfold the task of a step, or fold all of them with null. */
  openStep(name: string | null): void {
    this._set({ openStep: name });
  }

  /** Unfold the step that is to be done next, where there is one. */
  openNextStep(): void {
    const { lesson, openStep } = this._state;
    const next = lesson && nextOpenStep(lesson, openStep);
    if (next !== null) {
      this._set({ openStep: next, notice: null });
    }
  }

  /** Unfold the step before or after the one that is unfolded, in the order of the lesson. */
  turn(by: 1 | -1): void {
    const { lesson, openStep } = this._state;
    const beside = lesson && stepBeside(lesson, openStep, by);
    if (beside !== null) {
      this._set({ openStep: beside });
    }
  }

  /** Unfold the theory, or fold it and keep in mind that it was read. */
  setTheoryOpen(isOpen: boolean): void {
    this._set({ isTheoryOpen: isOpen });
    if (this._state.lesson) {
      void this.options.memory.write(theoryKey(this._state.lesson), isOpen ? 'open' : 'read');
    }
  }

  /** Show the lesson in another language. */
  async setLocale(locale: string): Promise<void> {
    this._set({ locale });
    await this._look();
  }

  /** Tell the student that something did not work; `message` is in their language. */
  say(code: string, message: string): void {
    this._set({ problem: { code, message } });
  }

  /** Take the notice and the problem away. */
  dismiss(): void {
    this._set({ notice: null, problem: null });
  }

  /** Take the solution away again. */
  hideSolution(): void {
    this._set({ solution: null, yours: {} });
  }

  /** Tell whether a check of that step may be asked for now. */
  canCheck(name: string | null): boolean {
    const step = stepOf(this._state.lesson, name);
    return (
      step !== null &&
      step.has_check &&
      step.state !== 'locked' &&
      this._state.activity === null &&
      this._state.connection.kind === 'online'
    );
  }

  /** Tell whether the next hint of that step may be had now. */
  canTakeHint(name: string | null): boolean {
    const step = stepOf(this._state.lesson, name);
    return (
      step?.hints.next?.is_available === true &&
      this._state.busy === null &&
      this._state.connection.kind === 'online'
    );
  }

  /**
   * Save the student's files, ask for a check, and follow it to its end.
   *
   * Does nothing where {@link canCheck} says no. Resolves when the result is in the state, or the
   * problem is.
   */
  async check(name: string | null = this._state.openStep): Promise<void> {
    if (name === null || !this.canCheck(name)) {
      return;
    }
    const sinceMs = Date.now();
    const begin = (phase: Activity['phase']): void => {
      this._local = { step: name, phase, position: null, sinceMs, isJoined: false };
      this._set({});
    };
    const sending = new Sending({
      api: this.options.api,
      key: this.options.makeKey(),
      onPhase: begin,
      onUnreachable: (error) => this._fail(error),
    });
    this._sending = sending;
    begin('saving');
    this._set({ problem: null, notice: null });
    this._announce({ kind: 'running' });
    try {
      await this.options.saveDocuments();
      const sent = await sending.send(name);
      this._local = this._sending = null;
      if (sent === null) {
        this._announce({ kind: 'cancelled' });
        return;
      }
      const { attempt } = sent;
      // What was just asked for is queued; what runs at the first asking began before.
      this._joined = sent.isJoined ? attempt.id : null;
      this._firstSeen.set(attempt.id, sinceMs);
      this._heard.delete(attempt.id);
      this._epoch += 1;
      this._take(attempt);
      if (sending.isCancelled) {
        await this.cancel();
      }
      await (attempt.state === 'done' ? this._look() : this._follow(attempt.id));
    } catch (error) {
      const isUnsaved = this._local?.phase === 'saving';
      this._local = this._sending = null;
      if (isUnsaved) {
        const message = error instanceof Error ? error.message : String(error);
        this._set({ problem: { code: 'save_failed', message } });
      } else {
        this._fail(error);
      }
    }
  }

  /**
   * Cancel the check that is under way: one that is not sent yet is not sent, one that the server
   * has is ended there.
   */
  async cancel(): Promise<void> {
    if (this._sending !== null) {
      this._sending.cancel();
      return;
    }
    const attempt = Object.values(this._state.attempts).find((known) => known.state !== 'done');
    if (attempt === undefined || this._cancelling === attempt.id) {
      return;
    }
    this._cancelling = attempt.id;
    this._set({});
    try {
      this._take(await this.options.api.cancelAttempt(attempt.id));
    } catch (error) {
      this._cancelling = null;
      this._fail(error);
    }
  }

  /** Ask for the results of earlier attempts at a step. */
  async loadHistory(step: string): Promise<void> {
    try {
      const attempts = await this.options.api.attempts(step);
      this._set({ history: { ...this._state.history, [step]: attempts } });
    } catch (error) {
      this._fail(error);
    }
  }

  /** Take the next hint of a step; the lesson has it afterwards. */
  async takeHint(name: string | null = this._state.openStep): Promise<void> {
    if (name === null || !this.canTakeHint(name)) {
      return;
    }
    await this._ask('hint', async () => {
      await this.options.api.takeHint(name);
      this._announce({ kind: 'hint' });
    });
    await this._look();
  }

  /** Mark a step that has no check as done. */
  async markDone(name: string | null = this._state.openStep): Promise<void> {
    const step = stepOf(this._state.lesson, name);
    if (step === null || step.has_check || step.state !== 'open' || this._state.busy !== null) {
      return;
    }
    await this._ask('done', async () => {
      const lesson = await this.options.api.markDone(step.name);
      this._epoch += 1;
      this._apply(lesson);
    });
    // The answer may be in another language than the panel.
    await this._look();
  }

  /** Fetch the author's solution. */
  async showSolution(): Promise<void> {
    if (this._state.busy !== null) {
      return;
    }
    await this._ask('solution', async () => {
      const solution = await this.options.api.solution();
      const files = solution.files.filter((file) => file.text !== null);
      const yours = await Promise.all(
        files.map(
          async ({ path }) => [path, await this.options.readFile(`${WORK}/${path}`)] as const,
        ),
      );
      this._set({ solution, yours: Object.fromEntries(yours) });
    });
  }

  /** Look at the lesson now. Calls while one look is under way share it. */
  async refresh(): Promise<void> {
    this._looking ??= this._refreshOnce().finally(() => {
      this._looking = null;
    });
    await this._looking;
  }

  /** Look at the lesson with a request that begins now, not with one that is under way. */
  private async _look(): Promise<void> {
    this._epoch += 1;
    await this._looking;
    await this.refresh();
  }

  private async _refreshOnce(): Promise<void> {
    clearTimeout(this._timer);
    const epoch = this._epoch;
    let delayMs = REFRESH_MS;
    try {
      const lesson = await this.options.api.lesson(this._state.locale);
      if (this._isDisposed()) {
        return;
      }
      this._failures = 0;
      if (epoch === this._epoch) {
        if (this._state.lesson === null) {
          await this._welcome(lesson);
        }
        this._apply(lesson);
      } else {
        delayMs = 0;
        this._set({ connection: { kind: 'online' } });
      }
    } catch (error) {
      if (this._isDisposed()) {
        return;
      }
      delayMs = this._fail(error);
    }
    if (this._mustLook() && !this._isDisposed()) {
      this._timer = setTimeout(() => void this.refresh(), delayMs);
    }
  }

  /** Recall what this student left folded, before the lesson is drawn for the first time. */
  private async _welcome(lesson: Lesson): Promise<void> {
    const kept = await this.options.memory.read(theoryKey(lesson)).catch(() => null);
    const isBegun = lesson.steps.some((step) => step.state === 'passed');
    this._set({
      isTheoryOpen: kept === null ? !isBegun : kept === 'open',
      openStep: lesson.lesson.is_finished ? null : lesson.current_step,
    });
  }

  private _apply(lesson: Lesson): void {
    const before = this._state.lesson;
    const isFirst = before === null;
    for (const step of lesson.steps) {
      if (step.last_attempt !== null) {
        if (isFirst && step.last_attempt.state === 'done') {
          this._heard.add(step.last_attempt.id);
        }
        this._take(step.last_attempt);
      }
    }
    const passed = lesson.steps.find(
      (step) => step.state === 'passed' && stepOf(before, step.name)?.state === 'open',
    );
    const isSame = JSON.stringify(before) === JSON.stringify(lesson);
    this._set({
      lesson: isSame ? before : lesson,
      connection: { kind: 'online' },
      ...(this._isOldProblem() ? { problem: null } : {}),
    });
    if (passed !== undefined) {
      this._celebrate(lesson, passed.name);
    }
    if (isFirst) {
      this._resolveReady(lesson);
    }
  }

  /** Tell whether the problem shown was that nothing understandable answered; it does now. */
  private _isOldProblem(): boolean {
    const code = this._state.problem?.code;
    return code === 'unexpected_answer' || code === 'login_ended';
  }

  private _celebrate(lesson: Lesson, step: string): void {
    const next = nextOpenStep(lesson, step);
    const notice: Notice = lesson.lesson.is_finished
      ? { kind: 'finished', step }
      : { kind: 'step_passed', step, next };
    const { openStep } = this._state;
    const isLookingAtIt = openStep === step || openStep === null;
    this._set({ notice, ...(isLookingAtIt ? { openStep: next } : {}) });
    this._announce({ kind: 'notice', notice });
  }

  /** Put an attempt into the state if it is news; tell of its result once; follow it if it runs. */
  private _take(attempt: Attempt): void {
    if (!isNews(attempt, this._state.attempts[attempt.step])) {
      return;
    }
    if (!this._firstSeen.has(attempt.id)) {
      this._firstSeen.set(attempt.id, Date.now());
    }
    this._set({ attempts: { ...this._state.attempts, [attempt.step]: attempt } });
    if (attempt.state !== 'done') {
      void this._follow(attempt.id);
    } else if (!this._heard.has(attempt.id)) {
      this._heard.add(attempt.id);
      this._announce({ kind: 'result', attempt });
    }
  }

  /** Wait for an attempt to end, however often the connection breaks; then look at the lesson. */
  private _follow(id: string): Promise<void> {
    const running = this._following.get(id);
    if (running !== undefined) {
      return running;
    }
    const following = this._followOnce(id).finally(() => {
      this._following.delete(id);
    });
    this._following.set(id, following);
    return following;
  }

  private async _followOnce(id: string): Promise<void> {
    while (!this._isDisposed()) {
      const beganMs = Date.now();
      let pauseMs = FOLLOW_MS;
      try {
        const attempt = await this.options.api.attempt(id, WAIT_S, this._abort.signal);
        this._epoch += 1;
        this._take(attempt);
        if (attempt.state === 'done') {
          await this._look();
          return;
        }
      } catch (error) {
        if (this._isDisposed()) {
          return;
        }
        pauseMs = this._fail(error);
        if (!(error instanceof Unreachable)) {
          this._forget(id);
          return;
        }
      }
      await this._pause(pauseMs - (Date.now() - beganMs));
    }
  }

  /** Take an attempt that cannot be followed out of the state, so that Check can be pressed. */
  private _forget(id: string): void {
    const kept = Object.entries(this._state.attempts).filter(([, attempt]) => attempt.id !== id);
    this._set({ attempts: Object.fromEntries(kept) });
  }

  private async _pause(ms: number): Promise<void> {
    if (ms > 0) {
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  /** Run one request that is not a check; its problem lands in the state. */
  private async _ask(busy: 'hint' | 'done' | 'solution', run: () => Promise<void>): Promise<void> {
    this._set({ busy, problem: null });
    try {
      await run();
    } catch (error) {
      this._fail(error);
    } finally {
      this._set({ busy: null });
    }
  }

  /** Put a failed request into the state; gives the milliseconds after which to try again. */
  private _fail(error: unknown): number {
    if (error instanceof Unreachable) {
      const delayMs = Math.min(RETRY_MS.first * 2 ** this._failures, RETRY_MS.last);
      this._failures += 1;
      this._set({ connection: { kind: 'offline', retryAtMs: Date.now() + delayMs } });
      if (this._looking === null && this._mustLook()) {
        clearTimeout(this._timer);
        this._timer = setTimeout(() => void this.refresh(), delayMs);
      }
      return delayMs;
    }
    if (error instanceof MachineStopped) {
      this._set({ connection: { kind: 'stopped' } });
      return RETRY_MS.last;
    }
    const code = error instanceof Refused ? error.code : 'unexpected_answer';
    const message = error instanceof Error ? error.message : String(error);
    this._set({ problem: { code, message } });
    return RETRY_MS.last;
  }

  /** Tell whether to keep looking: somebody sees the panel, or a check waits for the connection. */
  private _mustLook(): boolean {
    return this._isVisible || this._sending?.isWaiting === true;
  }

  private _isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  private _announce(what: Announcement['what']): void {
    this._announcements += 1;
    this._set({ announcement: { id: this._announcements, what } });
  }

  private _set(change: Partial<Omit<LessonState, 'activity'>>): void {
    if (this._isDisposed()) {
      return;
    }
    const state = { ...this._state, ...change };
    this._state = Object.freeze({ ...state, activity: this._activityOf(state) });
    this._changed.emit(this._state);
    if (change.connection?.kind === 'online') {
      this._sending?.wake();
    }
  }

  /** Give what is under way: our own request first, else an attempt that is not done. */
  private _activityOf(state: LessonState): Activity | null {
    if (this._local !== null) {
      return this._local;
    }
    const attempt = Object.values(state.attempts).find((known) => known.state !== 'done');
    if (attempt === undefined || attempt.state === 'done') {
      return null;
    }
    return {
      step: attempt.step,
      phase: attempt.id === this._cancelling ? 'cancelling' : attempt.state,
      position: attempt.position,
      sinceMs: this._firstSeen.get(attempt.id) ?? Date.now(),
      isJoined: attempt.id === this._joined,
    };
  }

  private _state: LessonState;
  private readonly _changed = new Signal<this, LessonState>(this);
  private _resolveReady: (lesson: Lesson) => void = () => undefined;
  private readonly _ready = new Promise<Lesson>((resolve) => {
    this._resolveReady = resolve;
  });
  private readonly _abort = new AbortController();
  private readonly _following = new Map<string, Promise<void>>();
  private readonly _firstSeen = new Map<string, number>();
  private readonly _heard = new Set<string>();
  private _local: Activity | null = null;
  private _joined: string | null = null;
  private _sending: Sending | null = null;
  private _cancelling: string | null = null;
  private _looking: Promise<void> | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isVisible = true;
  private _failures = 0;
  private _epoch = 0;
  private _announcements = 0;
}
