import { render, screen } from '@testing-library/react'
import type { ColumnDrop, ColumnDropCheck, PreparedColumnDrop } from '@sti-rollout/agent/contract'
import React from 'react'
import { expect, test } from 'vitest'
import { PreparedColumnDropView } from './PreparedColumnDropView'

const check: ColumnDropCheck = {
  check: 'flag-stable',
  question: 'Is the flag at 100%?',
  verdict: 'pass',
  evidence: 'it is',
  findings: ['a client'],
  acceptable: [],
  accepted: [],
  seconds: 0.1,
}
const last: PreparedColumnDrop = {
  id: 1,
  at: '2026-11-26T18:00:00Z',
  derivationHash: 'd',
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
  trial: null,
}
const columnDrop = (changed: Partial<PreparedColumnDrop>, staleBecause: string | null = null) =>
  ({
    rollout: 'vehicles',
    environment: 'staging',
    last: { ...last, ...changed },
    staleBecause,
  }) as unknown as ColumnDrop

test('a preparation shows checks with evidence, the migration and its undo, and the pull request', () => {
  render(<PreparedColumnDropView drop={columnDrop({})} />)
  expect(screen.getByText('Is the flag at 100%?')).toBeTruthy()
  expect(screen.getByText('It is.')).toBeTruthy()
  expect(screen.getByLabelText('Up: drops the columns').textContent).toBe('alter table t drop column a;')
  expect(screen.getByLabelText('Down: restores columns and data').textContent).toContain('add column')
  expect(screen.getByRole('button', { name: 'Copy Description' })).toBeTruthy()
  expect(screen.getByRole('button', { name: 'Download Up: drops the columns' })).toBeTruthy()
  expect(screen.queryByText('Refused: no migration was written')).toBeNull()
})

test('a refusal shows its reasons; a draft and an outdated preparation are marked', () => {
  const { unmount } = render(
    <PreparedColumnDropView
      drop={columnDrop({
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
      drop={columnDrop({ parameters: { ...last.parameters, safetyChecks: false } }, 'the flag has changed')}
    />,
  )
  expect(screen.getByText('Draft: the safety checks were skipped')).toBeTruthy()
  expect(screen.getByText('Prepare the column drop again: the flag has changed.')).toBeTruthy()
})
