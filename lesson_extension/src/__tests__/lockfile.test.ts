// @vitest-environment node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

interface Package {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8'),
) as { readonly packages: Readonly<Record<string, Package>> };

it('names no registry, so that any mirror will do', () => {
  const named = Object.entries(lock.packages).filter(([, found]) => found.resolved !== undefined);
  expect(named).toEqual([]);
});

it('lists the optional packages of every platform, without which npm ci refuses it', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, found]) =>
    Object.keys(found.optionalDependencies ?? {}).filter(
      (name) =>
        !(`node_modules/${name}` in lock.packages) &&
        !(`${path}/node_modules/${name}` in lock.packages),
    ),
  );
  expect(missing).toEqual([]);
});
