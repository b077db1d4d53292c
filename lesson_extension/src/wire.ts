/**
 * What the server extension says, as types, and the only readers of its JSON.
 *
 * Field names are those of the API: one thing has one name everywhere. Unknown fields are ignored,
 * so that a newer server can be read; missing ones and wrong types are refused, with the place.
 * The golden samples in `tests/contract/` hold both sides to the same form.
 */

/** The JSON of an answer is not what API version 1 promises. */
export class WireInvalid extends Error {
  /**
   * @param place - Path in the JSON, such as `lesson.steps[0].state`.
   * @param found - What stands there.
   * @param allowed - What may stand there.
   */
  constructor(
    readonly place: string,
    found: string,
    allowed: string,
  ) {
    super(`${place}: found ${found}; allowed: ${allowed}.`);
    this.name = 'WireInvalid';
  }
}

type Reader<T> = (value: unknown, place: string) => T;
type Read<R> = R extends Reader<infer T> ? T : never;

function shown(value: unknown): string {
  if (value === undefined) {
    return 'nothing';
  }
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}

const text: Reader<string> = (value, place) => {
  if (typeof value !== 'string') {
    throw new WireInvalid(place, shown(value), 'a text');
  }
  return value;
};

const number: Reader<number> = (value, place) => {
  if (typeof value !== 'number') {
    throw new WireInvalid(place, shown(value), 'a number');
  }
  return value;
};

const flag: Reader<boolean> = (value, place) => {
  if (typeof value !== 'boolean') {
    throw new WireInvalid(place, shown(value), 'true or false');
  }
  return value;
};

const version: Reader<1> = (value, place) => {
  if (value !== 1) {
    throw new WireInvalid(place, shown(value), '1; reload the page after an update');
  }
  return value;
};

function oneOf<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value, place) => {
    const found = allowed.find((word) => word === value);
    if (found === undefined) {
      throw new WireInvalid(place, shown(value), allowed.join(', '));
    }
    return found;
  };
}

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, place) => (value === null || value === undefined ? null : read(value, place));
}

function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) {
      throw new WireInvalid(place, shown(value), 'a list');
    }
    return value.map((item: unknown, index) => read(item, `${place}[${String(index)}]`));
  };
}

function record<const F extends Readonly<Record<string, Reader<unknown>>>>(
  fields: F,
): Reader<{ readonly [K in keyof F]: Read<F[K]> }> {
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new WireInvalid(place, shown(value), 'an object');
    }
    const found = value as Readonly<Record<string, unknown>>;
    const entries = Object.entries(fields).map(([name, read]) => [
      name,
      read(found[name], `${place}.${name}`),
    ]);
    return Object.fromEntries(entries) as { readonly [K in keyof F]: Read<F[K]> };
  };
}

const testResult = record({
  id: text,
  name: text,
  outcome: oneOf('passed', 'failed', 'error', 'skipped'),
  points: number,
  max_points: number,
  expected: orNull(text),
  actual: orNull(text),
  message: text,
  output: text,
});

const outcome = record({
  outcome: oneOf('passed', 'failed', 'error', 'ungradable', 'cancelled'),
  message: text,
  duration_s: number,
  tests: listOf(testResult),
});

const attempt = record({
  version,
  id: text,
  step: text,
  state: oneOf('queued', 'running', 'done'),
  requested_at: text,
  finished_at: orNull(text),
  position: orNull(number),
  outcome: orNull(outcome),
  regraded: orNull(record({ original: text, course_version: text })),
});

const nextHint = record({ is_available: flag, reason: orNull(text) });

const step = record({
  name: text,
  title: text,
  state: oneOf('locked', 'open', 'passed'),
  task: orNull(text),
  points: number,
  has_check: flag,
  hints: record({ total: number, taken: listOf(text), next: orNull(nextHint) }),
  last_attempt: orNull(attempt),
});

const preview = record({ port: number, title: text });

const lesson = record({
  version,
  locale: text,
  locales: listOf(text),
  course: record({ name: text, title: text, url: text }),
  lesson: record({
    name: text,
    title: text,
    theory: text,
    home: text,
    open: listOf(text),
    preview: listOf(preview),
    is_finished: flag,
    records_commands: flag,
  }),
  steps: listOf(step),
  current_step: text,
  solution: record({ is_available: flag, reason: orNull(text) }),
  previous_lesson: orNull(record({ name: text, title: text, url: text })),
  next_lesson: orNull(record({ name: text, title: text, url: text })),
  recorded_url: text,
});

const attempts = record({ version, attempts: listOf(attempt) });

const image = record({ version, media_type: text, data: text });

const files = record({ version, files: listOf(text) });

const starter = record({
  version,
  files: listOf(record({ path: text, size_bytes: number, steps: listOf(text) })),
});

const machine = record({ version, idle_stop_at: orNull(text), undo_until: orNull(text) });

const memory = record({ version, used_bytes: number, limit_bytes: orNull(number) });

const server = record({ version, state: text });

const hint = record({ version, step: text, hint: text, taken: number, total: number });

const solution = record({
  version,
  files: listOf(record({ path: text, text: orNull(text), is_binary: flag })),
  script: orNull(text),
});

const failure = record({ version, error: record({ code: text, message: text }) });

/** One line of an outcome. */
export type TestResult = Read<typeof testResult>;
/** The verdict on one attempt. */
export type Outcome = Read<typeof outcome>;
/** One run of a check; `outcome` is set when `state` is `done`. */
export type Attempt = Read<typeof attempt>;
/** One task of the lesson, as far as this student may see it. */
export type Step = Read<typeof step>;
/** A web server in the machine that the IDE can show. */
export type Preview = Read<typeof preview>;
/** The lesson as this student sees it. */
export type Lesson = Read<typeof lesson>;
/** A hint that was just taken. */
export type Hint = Read<typeof hint>;
/** A file that a new machine has; `steps` are those whose check takes it. */
export type StarterFile = Read<typeof starter>['files'][number];
/** What becomes of the machine. */
export type Machine = Read<typeof machine>;
/** How much memory the machine uses; no limit is null. */
export type MachineMemory = Read<typeof memory>;
/** A picture of the lesson; `data` is base64. */
export type Image = Read<typeof image>;
/** The author's solution. */
export type Solution = Read<typeof solution>;
/** The body of an answer that is not a success. */
export type Failure = Read<typeof failure>;

/**
 * Give the lesson that the JSON describes.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readLesson(json: unknown): Lesson {
  return lesson(json, 'lesson');
}

/**
 * Give the attempt that the JSON describes; one that is done has an outcome.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readAttempt(json: unknown): Attempt {
  const found = attempt(json, 'attempt');
  if (found.state === 'done' && found.outcome === null) {
    throw new WireInvalid('attempt.outcome', 'null', 'an outcome, since the attempt is done');
  }
  return found;
}

/**
 * Give the finished attempts that the JSON lists, the newest first.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readAttempts(json: unknown): readonly Attempt[] {
  return attempts(json, 'attempts').attempts;
}

/** Give the paths below the work folder that the JSON lists. */
export function readFiles(json: unknown): readonly string[] {
  return files(json, 'files').files;
}

/** Give the files of a new machine that the JSON lists. */
export function readStarter(json: unknown): readonly StarterFile[] {
  return starter(json, 'starter').files;
}

/** Give what becomes of the machine. */
export function readMachine(json: unknown): Machine {
  return machine(json, 'machine');
}

/** Give how much memory the machine uses. */
export function readMemory(json: unknown): MachineMemory {
  return memory(json, 'memory');
}

/** Give the state of a machine that is being started. */
export function readServer(json: unknown): string {
  return server(json, 'server').state;
}

/**
 * Give the picture that the JSON holds.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readImage(json: unknown): Image {
  return image(json, 'image');
}

/**
 * Give the hint that the JSON describes.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readHint(json: unknown): Hint {
  return hint(json, 'hint');
}

/**
 * Give the solution that the JSON describes.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readSolution(json: unknown): Solution {
  return solution(json, 'solution');
}

/**
 * Give the error that the JSON describes.
 *
 * @throws WireInvalid - The JSON has another form.
 */
export function readFailure(json: unknown): Failure {
  return failure(json, 'error');
}
