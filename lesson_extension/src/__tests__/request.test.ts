// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { MachineStopped, makeLessonApi, Refused, Unreachable, type Send } from '../request';
import { WireInvalid } from '../wire';
import { sample } from './contract';

function answer(body: unknown, status = 200): Response {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(text, { status });
}

function apiOf(response: () => Response): {
  api: ReturnType<typeof makeLessonApi>;
  asked: string[];
} {
  const asked: string[] = [];
  const send: Send = (path, { method }) => {
    asked.push(`${method} ${path}`);
    return Promise.resolve(response());
  };
  return { api: makeLessonApi(send), asked };
}

describe('paths', () => {
  it('asks for what the server extension offers', async () => {
    const { api, asked } = apiOf(() => answer(sample('attempt_queued'), 201));
    await api.submitAttempt('listens', 'k');
    await api.attempt('0b8a', 20);
    expect(asked).toEqual(['POST steps/listens/attempts?key=k', 'GET attempts/0b8a?wait=20']);
  });

  it('asks for the lesson in the language, and for hints, done and the solution', async () => {
    const lesson = apiOf(() => answer(sample('lesson')));
    await lesson.api.lesson('ru');
    await lesson.api.markDone('reads');
    expect(lesson.asked).toEqual(['GET lesson?locale=ru', 'POST steps/reads/done']);
    const hint = apiOf(() => answer(sample('hint')));
    await hint.api.takeHint('listens');
    expect(hint.asked).toEqual(['POST steps/listens/hints']);
    const solution = apiOf(() => answer(sample('solution')));
    await solution.api.solution();
    expect(solution.asked).toEqual(['GET solution']);
  });

  it('lets no name leave its place in the path', async () => {
    const { api, asked } = apiOf(() => answer(sample('attempt_queued')));
    await api.submitAttempt('../../x?y', 'k');
    expect(asked).toEqual(['POST steps/..%2F..%2Fx%3Fy/attempts?key=k']);
  });
});

describe('failures', () => {
  it('says unreachable when nothing answers', async () => {
    const api = makeLessonApi(() => Promise.reject(new TypeError('Failed to fetch')));
    await expect(api.lesson('en')).rejects.toThrow(Unreachable);
  });

  it('hands the error on when the caller gave up', async () => {
    const abort = new AbortController();
    abort.abort();
    const gone = new DOMException('aborted', 'AbortError');
    const api = makeLessonApi(() => Promise.reject(gone));
    await expect(api.attempt('a1', 20, abort.signal)).rejects.toBe(gone);
  });

  it('gives the code and the message of a refusal', async () => {
    const { api } = apiOf(() => answer(sample('error'), 409));
    const error = await api.submitAttempt('serves', 'k').catch((found: unknown) => found);
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({
      code: 'step_locked',
      message: "Step 'serves' opens when these are passed: listens.",
    });
  });

  it('says unreachable when the server extension cannot reach the hub', async () => {
    const body = { version: 1, error: { code: 'hub_unreachable', message: 'The hub is away.' } };
    const { api } = apiOf(() => answer(body, 503));
    await expect(api.lesson('en')).rejects.toThrow(Unreachable);
  });

  it.each([502, 503, 504])('says unreachable when a proxy answers %d', async (status) => {
    const { api } = apiOf(() => answer('<h1>Bad gateway</h1>', status));
    await expect(api.lesson('en')).rejects.toThrow(Unreachable);
  });

  it('says stopped when JupyterHub sends elsewhere, as for a server that does not run', async () => {
    const { api } = apiOf(() => {
      const sent = answer('', 200);
      Object.defineProperties(sent, { type: { value: 'opaqueredirect' }, ok: { value: false } });
      return sent;
    });
    await expect(api.lesson('en')).rejects.toThrow(MachineStopped);
  });

  it('says stopped when JupyterHub answers for a server that does not run', async () => {
    const { api } = apiOf(() => answer({ message: 'not running' }, 424));
    await expect(api.lesson('en')).rejects.toThrow(MachineStopped);
  });

  it.each([
    [403, 'login_ended'],
    [500, 'unexpected_answer'],
  ])('gives a code for a page of status %d', async (status, code) => {
    const { api } = apiOf(() => answer('<h1>no</h1>', status));
    await expect(api.lesson('en')).rejects.toMatchObject({ code });
  });

  it.each(['', '<!doctype html>', '{"version": 1'])(
    'refuses a good status with %j as its body',
    async (body) => {
      const { api } = apiOf(() => answer(body));
      await expect(api.lesson('en')).rejects.toThrow(WireInvalid);
    },
  );
});
