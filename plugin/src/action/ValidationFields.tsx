import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Checkbox, Field, useStyles2 } from '@grafana/ui'
import type { CheckResult, ValidationLayer } from '@sti-rollout/agent/contract'
import React from 'react'
import { type OperationOptions, LAYERS } from './actionCatalog'

interface Props {
  knownChecks: readonly CheckResult[]
  choices: OperationOptions
  onChange: (choices: OperationOptions) => void
}

/** Which layers, and which single checks of the layers left out. */
export function ValidationFields({ knownChecks: known, choices, onChange }: Props) {
  const styles = useStyles2(getStyles)
  const { layers, checks } = choices
  const single = known.filter(({ layer }) => !layers.includes(layer))
  const toggleLayer = (layer: ValidationLayer) => {
    const next = LAYERS.filter((each) => (each === layer ? !layers.includes(each) : layers.includes(each)))
    const belongs = (name: string) => known.some(({ check, layer: own }) => check === name && !next.includes(own))
    onChange({ ...choices, layers: next, checks: checks.filter(belongs) })
  }
  return (
    <>
      <Field label="Layers" description="What was not run proves nothing for the flag.">
        <div className={styles.line} role="group" aria-label="Layers">
          {LAYERS.map((layer) => (
            <Checkbox key={layer} label={layer} value={layers.includes(layer)} onChange={() => toggleLayer(layer)} />
          ))}
        </div>
      </Field>
      {single.length > 0 && (
        <Field label="Single checks" description="Of the layers that are not chosen.">
          <div className={styles.line} role="group" aria-label="Single checks">
            {single.map(({ check }) => (
              <Checkbox
                key={check}
                label={check}
                value={checks.includes(check)}
                onChange={() =>
                  onChange({
                    ...choices,
                    checks: checks.includes(check) ? checks.filter((each) => each !== check) : [...checks, check],
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
