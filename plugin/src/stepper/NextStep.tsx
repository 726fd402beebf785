import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, LinkButton, Stack, Text, TextLink, useStyles2 } from '@grafana/ui'
import {
  type Action,
  isOpenIncident,
  type NextStep as NextStepAnswer,
  OPERATION_ACTIONS,
  type OperationAction,
  operationTitle,
  type RolloutDetail,
} from '@sti-rollout/agent/contract'
import React from 'react'
import { FORWARD_ACTIONS } from '../action/actionCatalog'
import { OperationButton } from '../action/OperationButton'
import { OperationMenu } from '../action/OperationMenu'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { ReasonList } from '../layout/ReasonList'
import { formatFlagState } from '../rollout/display'
import { withAppSubUrl, routes } from '../routes'
import { failedOperation, stepImperative } from './display'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
  /** The agent does not respond, so nothing can start now. */
  unreachable?: boolean
}

/** What to do next: one sentence and one primary button; if it is blocked, why, and the button that unblocks it. */
export function NextStep({ environment, detail, refresh, unreachable = false }: Props) {
  const styles = useStyles2(getStyles)
  const { next } = detail
  // Every step that is left has an operation, which the page shows above.
  if (next === null && detail.stage !== 'dropped') return null
  const common = { environment, detail, knownChecks: detail.validation?.checks, onStarted: refresh }
  const blocked = next !== null && next.blockedBy.length > 0
  const failed = failedOperation(detail)
  // During an incident its own button comes first, during an outage that of the runbook, and after a failure its cause.
  const waits =
    unreachable || detail.incidents.some((incident) => isOpenIncident(incident) && incident.severity === 'critical')
  return (
    <section aria-label="Next step" className={styles.all}>
      <div className={styles.words}>
        <Stack direction="row" alignItems="center" gap={1} wrap="wrap">
          <Text element="h2" variant="h5">
            {next === null ? 'The rollout is complete' : `Next: ${stepImperative(next.step, detail.flag)}`}
          </Text>
          {waits && (
            <Badge color="orange" icon="bell" text={unreachable ? 'after the agent responds' : 'after the incident'} />
          )}
          {blocked && <Badge color="orange" icon="lock" text="blocked" />}
        </Stack>
        {failed && (
          <div>
            <span className={styles.failure}>
              <TextLink inline href={routes.operation(environmentPlace(environment), detail.rollout, failed.id)}>
                {`${operationTitle(failed)} ${failed.id}`}
              </TextLink>
              {` failed: ${failed.error ?? 'no error was recorded'}`}
            </span>
            {` ${flagAfterFailure(detail.flag)}`}
          </div>
        )}
        {!blocked && <div className={styles.sentence}>{next?.sentence ?? COMPLETE}</div>}
        {blocked && (
          <div className={styles.reasons}>
            <ReasonList reasons={next.blockedBy} />
          </div>
        )}
      </div>
      <div className={styles.actions}>
        {next && <NextButtons next={next} common={common} isPrimary={!waits && !failed} />}
        <OperationMenu
          {...common}
          label="More actions"
          size="md"
          actions={FORWARD_ACTIONS.filter((action) => action !== next?.action)}
        />
      </div>
    </section>
  )
}

function NextButtons({
  next: { action, blockedBy, unblock, step },
  common,
  isPrimary,
}: {
  next: NextStepAnswer
  isPrimary: boolean
  common: Omit<React.ComponentProps<typeof OperationButton>, 'action'>
}) {
  const { environment, detail } = common
  const blocked = blockedBy.length > 0
  return (
    <>
      {blocked && unblock !== null && isOperationAction(unblock) && (
        <OperationButton {...common} action={unblock} variant={isPrimary ? 'primary' : 'secondary'} size="md" />
      )}
      {blocked && unblock === 'promote' && (
        <LinkButton
          href={withAppSubUrl(`${routes.validation(environmentPlace(environment), detail.rollout)}#promotion`)}
        >
          Submit report
        </LinkButton>
      )}
      {action !== null && isOperationAction(action) && (
        <OperationButton
          {...common}
          action={action}
          variant={blocked || !isPrimary ? 'secondary' : 'primary'}
          size="md"
        />
      )}
      {action === null && (
        <LinkButton
          variant="secondary"
          href={withAppSubUrl(routes.columnDrop(environmentPlace(environment), detail.rollout))}
        >
          {step === 'soak' ? 'Column drop' : 'Show the pull request'}
        </LinkButton>
      )}
    </>
  )
}

const COMPLETE =
  'The legacy columns were dropped, so turning the flag off does not undo the rollout. To restore the columns, run the down migration of the column drop.'

/** What users read. A failed operation can also fail their writes, which the vital signs show. */
const flagAfterFailure = (flag: RolloutDetail['flag']): string =>
  flag.enabled
    ? `The flag is ${formatFlagState(flag)}: the application reads by type.`
    : 'No user reads by type: the flag is off, so the application reads the legacy columns.'

const isOperationAction = (action: Action): action is OperationAction => Object.hasOwn(OPERATION_ACTIONS, action)

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1, 3),
  }),
  words: css({ flex: '1 1 320px', minWidth: 0 }),
  failure: css({ color: theme.colors.error.text, overflowWrap: 'anywhere' }),
  sentence: css({ color: theme.colors.text.secondary }),
  reasons: css({ color: theme.colors.text.secondary, 'li + li': { marginBlockStart: theme.spacing(0.25) } }),
  actions: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
})
