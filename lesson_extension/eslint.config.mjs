import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/**
 * The rooms, in the direction in which data flows: wire ← request ← model ← widgets → components.
 * `early` stands alone: a script of its own, whose contract the widgets know.
 * A room imports what stands before it and nothing else; types may come from anywhere before.
 */
function room(files, forbidden) {
  return {
    files,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: forbidden.map(([regex, message, allowTypeImports = false]) => ({
            regex,
            message,
            allowTypeImports,
          })),
        },
      ],
    },
  };
}

const JUPYTERLAB = ['^@jupyterlab/', 'Only widgets, commands and index know JupyterLab.'];
const LUMINO = ['^@lumino/', 'Only the model (signals), widgets, commands and index know Lumino.'];
const REACT = ['^react', 'Only components and widgets draw.'];
const UPWARD = [
  '/(widgets|components|commands|index)(/|$)',
  'Data flows wire ← request ← model ← widgets → components.',
];

export default tseslint.config(
  {
    ignores: ['lib/', 'node_modules/', 'build/', 'hexhub_lesson/'],
  },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      ...tseslint.configs.stylisticTypeChecked,
      reactHooks.configs.flat['recommended-latest'],
    ],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-console': 'error',
      'max-lines': ['error', 600],
      'max-lines-per-function': ['error', { max: 90, skipComments: true, skipBlankLines: true }],
      complexity: ['error', 15],
    },
  },
  room(
    [
      'src/wire.ts',
      'src/texts.ts',
      'src/locale.ts',
      'src/actions.ts',
      'src/places.ts',
      'src/components/difference.ts',
    ],
    [['.', 'This file imports nothing.']],
  ),
  room(
    ['src/request.ts'],
    [JUPYTERLAB, LUMINO, REACT, ['/model$', 'Requests know nothing of the model.'], UPWARD],
  ),
  room(
    ['src/state.ts'],
    [JUPYTERLAB, LUMINO, REACT, UPWARD, ['/(request|model|texts)$', 'Values know nobody.']],
  ),
  room(
    ['src/model.ts', 'src/machine.ts', 'src/sending.ts'],
    [
      JUPYTERLAB,
      REACT,
      UPWARD,
      ['/texts$', 'The model draws nothing; words belong to components.'],
      ['^@lumino/(?!signaling$)', 'The model knows signals and nothing else of Lumino.'],
    ],
  ),
  room(
    ['src/components/**'],
    [
      JUPYTERLAB,
      LUMINO,
      ['/request$', 'Components take props; they request nothing.'],
      ['/(model|wire)$', 'Components take props; from here only types.', true],
      ['/(widgets|commands|index)(/|$)', 'Widgets use components, not the other way round.'],
    ],
  ),
  room(
    ['src/early/**'],
    [
      JUPYTERLAB,
      LUMINO,
      REACT,
      ['^\\.\\./(?!locale$)', 'The first view is there before all else; it knows the language.'],
    ],
  ),
  room(
    ['src/widgets/**'],
    [
      ['^\\.+/(commands|index)$', 'Only index joins the parts.'],
      ['/request$', 'Widgets talk to the model.'],
      ['/(model|wire)$', 'Widgets are given a model; from here only types.', true],
    ],
  ),
  {
    files: ['src/__tests__/**'],
    rules: {
      'max-lines-per-function': 'off',
      // In a test, something missing is a failure anyway, and `!` says where.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
