import React, { type ReactNode } from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'

export const COLUMNS = [
  'Environment',
  'Rollout',
  'Stage',
  'Coverage',
  'Flag',
  'Running',
  'Failed rows',
  'Incidents',
  'Automatic rollback',
  'Can be rolled back',
] as const

export function RolloutsTable({ children }: { children: ReactNode }) {
  return <ResponsiveTable columns={COLUMNS}>{children}</ResponsiveTable>
}
