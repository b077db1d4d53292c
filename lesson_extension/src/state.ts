/**
 * What the panel draws from, as values; and what can be said about them without asking anybody.
 */
import type { Attempt, Lesson, Solution, StarterFile, Step } from './wire';

/** What stands between pressing Check and its result. */
export interface Activity {
  readonly step: string;
  /** `offline`: waits for the connection, to be sent then. */
  readonly phase: 'saving' | 'sending' | 'offline' | 'queued' | 'running' | 'cancelling';
  /** Place in the queue, counted from 1, where it is known. */
  readonly position: number | null;
  /** When this page first knew of it, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Check was pressed when it ran already, so that it may not know the newest files. */
  readonly isJoined: boolean;
}

/** Whether the server answers. */
export type Connection =
  | { readonly kind: 'loading' }
  | { readonly kind: 'online' }
  | { readonly kind: 'offline'; readonly retryAtMs: number }
  | { readonly kind: 'stopped' };

/** What went wrong last, for the student; `code` says which words of ours belong to it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Something good that just happened. */
export type Notice =
  | { readonly kind: 'step_passed'; readonly step: string; readonly next: string | null }
  | { readonly kind: 'finished'; readonly step: string };

/** Something to say aloud; a new `id` means that it is to be said again. */
export interface Announcement {
  readonly id: number;
  readonly what:
    | { readonly kind: 'running' }
    | { readonly kind: 'cancelled' }
    | { readonly kind: 'result'; readonly attempt: Attempt }
    | { readonly kind: 'notice'; readonly notice: Notice }
    | { readonly kind: 'hint' };
}

/** All that the panel draws from. */
export interface LessonState {
  readonly locale: string;
  readonly lesson: Lesson | null;
  /** Newest attempt known of each step. */
  readonly attempts: Readonly<Record<string, Attempt>>;
  /** The step whose task is unfolded. */
  readonly openStep: string | null;
  readonly isTheoryOpen: boolean;
  readonly activity: Activity | null;
  /** What is being asked for, apart from a check. */
  readonly busy: 'hint' | 'done' | 'solution' | null;
  readonly connection: Connection;
  readonly problem: Problem | null;
  readonly notice: Notice | null;
  /** Step → its finished attempts, the newest first, once they were asked for. */
  readonly history: Readonly<Record<string, readonly Attempt[]>>;
  readonly solution: Solution | null;
  /** Path of a file of the solution → the student's file there; null where there is none. */
  readonly yours: Readonly<Record<string, string | null>>;
  readonly announcement: Announcement | null;
}

/** What is known of the student's machine; null where it is not told. */
export interface MachineState {
  /** When it is stopped if nobody uses it, in milliseconds since the epoch. */
  readonly idleStopAtMs: number | null;
  readonly undoUntilMs: number | null;
  readonly usedBytes: number | null;
  readonly limitBytes: number | null;
  /** The files of a new machine, once they were asked for. */
  readonly starter: readonly StarterFile[] | null;
  /** Files that were put back last, until that is undone. */
  readonly restored: readonly string[] | null;
  readonly isBusy: boolean;
  /** Why the last wish did not work, in words of the server. */
  readonly problem: string | null;
}

const STATE_ORDER = { queued: 0, running: 1, done: 2 } as const;

/**
 * Tell whether `found` says more than `known`: a later request, the same one further on, or the same
 * one in other words (another language).
 */
export function isNews(found: Attempt, known: Attempt | undefined): boolean {
  if (known === undefined) {
    return true;
  }
  if (found.id === known.id) {
    return (
      STATE_ORDER[found.state] > STATE_ORDER[known.state] ||
      (found.state === known.state && JSON.stringify(found) !== JSON.stringify(known))
    );
  }
  return Date.parse(found.requested_at) >= Date.parse(known.requested_at);
}

/** Give the step of that name, where the lesson has it. */
export function stepOf(lesson: Lesson | null, name: string | null): Step | null {
  return lesson?.steps.find((step) => step.name === name) ?? null;
}

/** Give the name of the step before or after another, in the order of the lesson. */
export function stepBeside(lesson: Lesson, name: string | null, by: 1 | -1): string | null {
  const index = lesson.steps.findIndex((step) => step.name === name);
  if (index < 0) {
    return (by > 0 ? lesson.steps[0] : lesson.steps.at(-1))?.name ?? null;
  }
  return lesson.steps[index + by]?.name ?? null;
}

/** Give the name of the step that is open and not passed, first after `after`; null if none is. */
export function nextOpenStep(lesson: Lesson, after: string | null): string | null {
  const start = lesson.steps.findIndex((step) => step.name === after) + 1;
  const inOrder = [...lesson.steps.slice(start), ...lesson.steps.slice(0, start)];
  return inOrder.find((step) => step.state === 'open' && step.name !== after)?.name ?? null;
}
