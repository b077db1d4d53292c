// @vitest-environment node
import { ESLint } from 'eslint';
import { expect, it } from 'vitest';

const eslint = new ESLint({ cwd: `${import.meta.dirname}/../..` });

async function rulesBroken(file: string, code: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: `src/${file}` });
  return (result?.messages ?? []).map((message) => message.ruleId);
}

it.each([
  ['wire.ts', "import './texts';"],
  ['request.ts', "import { LessonModel } from './model';"],
  ['model.ts', "import { createElement } from 'react';"],
  ['model.ts', "import { Panel } from './components/Panel';"],
  ['model.ts', "import { Widget } from '@lumino/widgets';"],
  ['components/Panel.tsx', "import { LessonModel } from '../model';"],
  ['components/Panel.tsx', "import { LabIcon } from '@jupyterlab/ui-components';"],
  ['components/Panel.tsx', "import { LessonPanel } from '../widgets/panel';"],
  ['early/view.ts', "import { Widget } from '@lumino/widgets';"],
  ['early/view.ts', "import { textsIn } from '../texts';"],
  ['widgets/panel.ts', "import { makeLessonApi } from '../request';"],
])(
  'ESLint refuses in %s: %s',
  async (file, code) => {
    expect(await rulesBroken(file, code)).toContain('@typescript-eslint/no-restricted-imports');
  },
  120_000,
);

it('ESLint lets a component name the types of the state', async () => {
  const code = "import type { LessonState } from '../state';\nexport type S = LessonState;\n";
  expect(await rulesBroken('components/Panel.tsx', code)).toEqual([]);
}, 120_000);
