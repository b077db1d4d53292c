/**
 * Calls to the server extension, and the three ways in which they can end badly.
 *
 * Knows nothing of JupyterLab: what sends the request is handed in, so that tests hand in a fake.
 */
import {
  readAttempt,
  readAttempts,
  readFailure,
  readFiles,
  readHint,
  readImage,
  readLesson,
  readMachine,
  readMemory,
  readServer,
  readSolution,
  readStarter,
  WireInvalid,
  type Attempt,
  type Hint,
  type Image,
  type Lesson,
  type Machine,
  type MachineMemory,
  type Solution,
  type StarterFile,
} from './wire';

/** Sends one request to a path below `{base_url}hexhub/`. Rejects when no answer came. */
export type Send = (
  path: string,
  init: { method: 'GET' | 'POST'; signal?: AbortSignal },
) => Promise<Response>;

/** No usable answer came: the network, the hub or something between is away. Trying again helps. */
export class Unreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unreachable';
  }
}

/** The student's machine is stopped. Opening the lesson again helps. */
export class MachineStopped extends Error {
  constructor() {
    super('The machine of this lesson is stopped.');
    this.name = 'MachineStopped';
  }
}

/** The server understood and refused; the message is for the student. */
export class Refused extends Error {
  /**
   * @param code - Stable word for programs, such as `step_locked`.
   * @param message - What the student reads.
   */
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'Refused';
  }
}

/** Statuses of whatever stands before the server extension while it cannot answer. */
const AWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);
/** JupyterHub answers requests for a server that is not running with 424 (503 before 5.0). */
const NOT_RUNNING_STATUS = 424;

/** The lesson of this machine, over the wire. */
export interface LessonApi {
  /** Give the lesson in `locale`, or in the student's own language. */
  lesson(locale: string): Promise<Lesson>;
  /**
   * Ask for a check of `step`; gives the attempt that is waiting already, where there is one.
   *
   * @param key - 32 hex digits. Asked twice with one key, as after a broken connection, it is one
   *   attempt, also where that is done by then.
   */
  submitAttempt(step: string, key: string): Promise<Attempt>;
  /** Cancel an attempt that waits or runs; one that is done stays as it is. */
  cancelAttempt(id: string): Promise<Attempt>;
  /** Give the finished attempts at `step`, the newest first. */
  attempts(step: string): Promise<readonly Attempt[]>;
  /** Give a picture of the lesson in `locale`. */
  image(name: string, locale: string): Promise<Image>;
  /** Give the attempt when it is done, or as it is after `waitS` seconds. */
  attempt(id: string, waitS: number, signal?: AbortSignal): Promise<Attempt>;
  /** Take the next hint of `step`. */
  takeHint(step: string): Promise<Hint>;
  /** Mark `step`, which has no check, as done. */
  markDone(step: string): Promise<Lesson>;
  /** Give the author's solution. */
  solution(): Promise<Solution>;
}

/** The machine of this lesson, over the wire. Paths are below the work folder. */
export interface MachineApi {
  /** Give when it is stopped, and until when its reset can be undone. */
  machine(): Promise<Machine>;
  /** Give how much memory it uses. */
  memory(): Promise<MachineMemory>;
  /** Give the files that a new machine has. */
  starter(): Promise<readonly StarterFile[]>;
  /** Put a file back as a new machine has it; gives what has changed. */
  restoreFile(path: string): Promise<readonly string[]>;
  /** Put the files of a step back; gives what has changed. */
  restoreStep(step: string): Promise<readonly string[]>;
  /** Take all files back as the student had them; gives what has changed. */
  undoRestore(): Promise<readonly string[]>;
  /** Put the machine aside and start a new one. */
  resetMachine(): Promise<string>;
  /** Take the machine back that was put aside, and start it. */
  undoReset(): Promise<string>;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown;
  } catch {
    throw new WireInvalid('answer', 'something that is not JSON', 'JSON');
  }
}

async function failureOf(response: Response): Promise<Error> {
  if (response.type === 'opaqueredirect') {
    // Only the hub sends elsewhere: who asks for a server that does not run.
    return new MachineStopped();
  }
  try {
    const { error } = readFailure(await readJson(response));
    return error.code === 'hub_unreachable'
      ? new Unreachable(error.message)
      : new Refused(error.code, error.message);
  } catch {
    if (response.status === NOT_RUNNING_STATUS) {
      return new MachineStopped();
    }
    if (AWAY_STATUSES.has(response.status)) {
      return new Unreachable(`The server answered ${String(response.status)}.`);
    }
    if (response.status === 401 || response.status === 403) {
      return new Refused('login_ended', `The server answered ${String(response.status)}.`);
    }
    return new Refused('unexpected_answer', `The server answered ${String(response.status)}.`);
  }
}

/**
 * Make the API of this lesson out of something that sends requests.
 *
 * Every call rejects with {@link Unreachable}, {@link MachineStopped}, {@link Refused} or
 * {@link WireInvalid}, and with nothing else, but for an abort that the caller asked for.
 */
export function makeLessonApi(send: Send): LessonApi & MachineApi {
  async function call<T>(
    read: (json: unknown) => T,
    method: 'GET' | 'POST',
    path: string,
    signal?: AbortSignal,
  ): Promise<T> {
    let response: Response;
    try {
      response = await send(path, signal ? { method, signal } : { method });
    } catch (error) {
      if (signal?.aborted) {
        throw error;
      }
      throw new Unreachable(error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) {
      throw await failureOf(response);
    }
    return read(await readJson(response));
  }

  const at = (step: string): string => `steps/${encodeURIComponent(step)}`;
  return {
    lesson: (locale) => call(readLesson, 'GET', `lesson?locale=${encodeURIComponent(locale)}`),
    submitAttempt: (step, key) =>
      call(readAttempt, 'POST', `${at(step)}/attempts?key=${encodeURIComponent(key)}`),
    cancelAttempt: (id) => call(readAttempt, 'POST', `attempts/${encodeURIComponent(id)}/cancel`),
    attempts: (step) => call(readAttempts, 'GET', `${at(step)}/history`),
    image: (name, locale) =>
      call(
        readImage,
        'GET',
        `images/${encodeURIComponent(name)}?locale=${encodeURIComponent(locale)}`,
      ),
    attempt: (id, waitS, signal) =>
      call(readAttempt, 'GET', `attempts/${encodeURIComponent(id)}?wait=${String(waitS)}`, signal),
    takeHint: (step) => call(readHint, 'POST', `${at(step)}/hints`),
    markDone: (step) => call(readLesson, 'POST', `${at(step)}/done`),
    solution: () => call(readSolution, 'GET', 'solution'),
    machine: () => call(readMachine, 'GET', 'machine'),
    memory: () => call(readMemory, 'GET', 'memory'),
    starter: () => call(readStarter, 'GET', 'starter'),
    restoreFile: (path) => call(readFiles, 'POST', `files/reset?path=${encodeURIComponent(path)}`),
    restoreStep: (step) => call(readFiles, 'POST', `files/reset?step=${encodeURIComponent(step)}`),
    undoRestore: () => call(readFiles, 'POST', 'files/undo'),
    resetMachine: () => call(readServer, 'POST', 'reset'),
    undoReset: () => call(readServer, 'POST', 'reset/undo'),
  };
}
