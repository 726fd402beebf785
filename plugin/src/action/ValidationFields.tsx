import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Checkbox, Field, useStyles2 } from '@grafana/ui'
import type { CheckResult, ValidationLayer } from '@sti-rollout/agent/contract'
import React from 'react'
import { LAYERS } from '../validation/verdicts'
import type { OperationFieldsProps } from './operationRequest'

interface Props extends OperationFieldsProps {
  /** The checks of the latest validation. */
  knownChecks: readonly CheckResult[]
  /** The layers that a validation can have here. */
  offered?: readonly ValidationLayer[]
}

/** The options of a validation: layers, and single checks of the layers that are not selected. */
export function ValidationFields({ knownChecks, offered = LAYERS, options, onChange }: Props) {
  const styles = useStyles2(getStyles)
  const { layers, checks } = options
  const singleChecks = knownChecks.filter(({ layer }) => !layers.includes(layer))
  const toggleLayer = (toggled: ValidationLayer) => {
    const nextLayers = offered.filter((layer) => layers.includes(layer) !== (layer === toggled))
    const isStillSingle = (name: string) =>
      knownChecks.some(({ check, layer }) => check === name && !nextLayers.includes(layer))
    onChange({ ...options, layers: nextLayers, checks: checks.filter(isStillSingle) })
  }
  return (
    <>
      <Field label="Layers" description="The flag can be enabled only after all required layers have passed.">
        <div className={styles.line} role="group" aria-label="Layers">
          {offered.map((layer) => (
            <Checkbox key={layer} label={layer} value={layers.includes(layer)} onChange={() => toggleLayer(layer)} />
          ))}
        </div>
      </Field>
      {singleChecks.length > 0 && (
        <Field label="Single checks" description="Checks of the layers that are not selected.">
          <div className={styles.line} role="group" aria-label="Single checks">
            {singleChecks.map(({ check }) => (
              <Checkbox
                key={check}
                label={check}
                value={checks.includes(check)}
                onChange={() =>
                  onChange({
                    ...options,
                    checks: checks.includes(check) ? checks.filter((name) => name !== check) : [...checks, check],
                  })
                }
              />
            ))}
          </div>
        </Field>
      )}
    </>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(1, 2.5),
    maxHeight: theme.spacing(22),
    overflowY: 'auto',
  }),
})
