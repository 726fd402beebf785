import React from 'react'
import { Navigate, Route, Routes, useParams } from 'react-router-dom'
import { routes } from '../routes'
import { AllReadinessPage } from './AllReadinessPage'
import { ColumnDropPage } from './ColumnDropPage'
import { ConfigurationPage } from './ConfigurationPage'
import { AllIncidentsPage, IncidentsPage } from './IncidentsPage'
import { OperationPage } from './OperationPage'
import { OperationsPage } from './OperationsPage'
import { OverviewPage } from './OverviewPage'
import { ReadinessPage } from './ReadinessPage'
import { RollbackPage } from './RollbackPage'
import { RolloutShell } from './RolloutShell'
import { RolloutsPage } from './RolloutsPage'
import { RunbookPage } from './RunbookPage'
import { TablesPage } from './TablesPage'
import { ValidationPage } from './ValidationPage'

/** The routes of the app below `/a/sti-rollout-app`. */
export default function App() {
  return (
    <Routes>
      <Route path="rollouts" element={<RolloutsPage />} />
      <Route path="rollouts/:environment/:rollout" element={<RolloutShell />}>
        <Route index element={<OverviewPage />} />
        <Route path="validation" element={<ValidationPage />} />
        <Route path="readiness" element={<ReadinessPage />} />
        <Route path="incidents" element={<IncidentsPage />} />
        <Route path="operations" element={<OperationsPage />} />
        <Route path="operations/:id" element={<OperationPage />} />
        <Route path="column-drop" element={<ColumnDropPage />} />
        {/* Other names of the tabs lead to the overview of the same rollout. */}
        <Route path="*" element={<OverviewRedirect />} />
      </Route>
      <Route path="tables/:environment/:rollout" element={<TablesPage />} />
      <Route path="incidents" element={<AllIncidentsPage />} />
      <Route path="readiness" element={<AllReadinessPage />} />
      <Route path="rollback" element={<RollbackPage />} />
      <Route path="runbook" element={<RunbookPage />} />
      <Route path="configuration" element={<ConfigurationPage />} />
      <Route path="*" element={<Navigate replace to={routes.rollouts()} />} />
    </Routes>
  )
}

function OverviewRedirect() {
  const { environment = '', rollout = '' } = useParams()
  return <Navigate replace to={routes.rollout(environment, rollout)} />
}
