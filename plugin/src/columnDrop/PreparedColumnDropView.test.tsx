import { render, screen } from '@testing-library/react'
import type { ColumnDrop, ColumnDropCheck, PreparedColumnDrop } from '@sti-rollout/agent/contract'
import React from 'react'
import { expect, test } from 'vitest'
import { PreparedColumnDropView } from './PreparedColumnDropView'

const check: ColumnDropCheck = {
  check: 'flag-stable',
  question: 'Is the flag at 100 %?',
  verdict: 'pass',
  evidence: 'it is',
  findings: ['a client'],
  seconds: 0.1,
}
const last: PreparedColumnDrop = {
  id: 1,
  operationId: 9,
  at: '2026-11-26T18:00:00Z',
  fileHash: 'f',
  prepared: true,
  reasons: [],
  verdict: 'pass',
  parameters: {
    validateData: true,
    generatePullRequest: true,
    includeRollback: true,
    safetyChecks: true,
    openPullRequest: false,
    exportArchive: false,
  },
  checks: [check],
  migration: { up: 'alter table t drop column a;', down: 'alter table t add column a int;' },
  pullRequest: { branch: 'b', title: '[Do Not Merge] Drop', body: 'the body', labels: [], files: [], url: null },
  archive: null,
  proof: null,
}
const drop = (of: Partial<PreparedColumnDrop>, staleBecause: string | null = null) =>
  ({ rollout: 'vehicles', environment: 'staging', last: { ...last, ...of }, staleBecause }) as unknown as ColumnDrop

test('what was produced: checks with evidence, both ways of the migration, the pull request', () => {
  render(<PreparedColumnDropView drop={drop({})} />)
  expect(screen.getByText('Is the flag at 100 %?')).toBeTruthy()
  expect(screen.getByText('It is.')).toBeTruthy()
  expect(screen.getByLabelText('Up: drops the columns').textContent).toBe('alter table t drop column a;')
  expect(screen.getByLabelText('Down: brings columns and data back').textContent).toContain('add column')
  expect(screen.getByRole('button', { name: 'Copy Its text' })).toBeTruthy()
  expect(screen.getByRole('button', { name: 'Download Up: drops the columns' })).toBeTruthy()
  expect(screen.queryByText('Refused: nothing was written')).toBeNull()
})

test('a refusal says why, a draft and what has grown stale say so', () => {
  const { unmount } = render(
    <PreparedColumnDropView
      drop={drop({
        prepared: false,
        verdict: 'fail',
        reasons: ['no-function-body: f()'],
        migration: null,
        pullRequest: null,
      })}
    />,
  )
  expect(screen.getByText('no-function-body: f()')).toBeTruthy()
  expect(screen.queryByText('Migration')).toBeNull()
  unmount()
  render(
    <PreparedColumnDropView
      drop={drop({ parameters: { ...last.parameters, safetyChecks: false } }, 'the flag was changed since')}
    />,
  )
  expect(screen.getByText('A draft: it was not held to its safety checks')).toBeTruthy()
  expect(screen.getByText('Prepare it again: the flag was changed since.')).toBeTruthy()
})
