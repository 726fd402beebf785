import React from 'react'
import { Navigate, Route, Routes } from 'react-router-dom'
import { routes } from '../routes'
import { AllReadinessPage } from './AllReadinessPage'
import { ColumnDropPage } from './ColumnDropPage'
import { ConfigurationPage } from './ConfigurationPage'
import { AllIncidentsPage, IncidentsPage } from './IncidentsPage'
import { OperationPage } from './OperationPage'
import { ReadinessPage } from './ReadinessPage'
import { RollbackPage } from './RollbackPage'
import { RolloutPage } from './RolloutPage'
import { RolloutsPage } from './RolloutsPage'
import { RunbookPage } from './RunbookPage'
import { ValidationPage } from './ValidationPage'

/** The routes of the app below `/a/sti-rollout-app`. */
export default function App() {
  return (
    <Routes>
      <Route path="rollouts" element={<RolloutsPage />} />
      <Route path="rollouts/:environment/:rollout" element={<RolloutPage />} />
      <Route path="rollouts/:environment/:rollout/validation" element={<ValidationPage />} />
      <Route path="rollouts/:environment/:rollout/readiness" element={<ReadinessPage />} />
      <Route path="rollouts/:environment/:rollout/column-drop" element={<ColumnDropPage />} />
      <Route path="rollouts/:environment/:rollout/operations/:id" element={<OperationPage />} />
      <Route path="rollouts/:environment/:rollout/incidents" element={<IncidentsPage />} />
      <Route path="incidents" element={<AllIncidentsPage />} />
      <Route path="readiness" element={<AllReadinessPage />} />
      <Route path="rollback" element={<RollbackPage />} />
      <Route path="runbook" element={<RunbookPage />} />
      <Route path="configuration" element={<ConfigurationPage />} />
      <Route path="*" element={<Navigate replace to={routes.rollouts()} />} />
    </Routes>
  )
}
