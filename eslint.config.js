// One linter for everything that is TypeScript; assembly/prim.ts and env.ts are AssemblyScript only.

import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'build/**',
      'node_modules/**',
      'bench/node_modules/**',
      'assembly/prim.ts',
      'assembly/env.ts',
      '**/*.mjs',
      'eslint.config.js',
    ],
  },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      'no-console': ['error', { allow: ['info', 'warn', 'error', 'log'] }],
    },
  },
  { files: ['assembly/**'], rules: { 'prefer-const': 'off' } },
);
