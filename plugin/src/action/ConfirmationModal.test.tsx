import { render, screen } from '@testing-library/react'
import React from 'react'
import { expect, test } from 'vitest'
import { ACTIONS } from './actionCatalog'
import { ConfirmationModal } from './ConfirmationModal'

test.each([...new Set(Object.values(ACTIONS).map(({ label }) => label))])(
  'the button that leaves the confirmation of “%s” has another verb',
  (label) => {
    render(
      <ConfirmationModal
        title={label}
        environment={{ name: 'staging', production: false }}
        confirmLabel={label}
        destructive={false}
        disabledReason={null}
        busy={false}
        error={null}
        onConfirm={() => undefined}
        onClose={() => undefined}
      >
        <p>What it does.</p>
      </ConfirmationModal>,
    )
    const texts = screen.getAllByRole('button').map(({ textContent }) => textContent ?? '')
    const leave = texts.filter((text) => /^(Cancel|Close)$/.test(text))
    expect(leave).toHaveLength(1)
    expect(texts).toContain(label)
    expect(label.toLowerCase().startsWith(leave[0]!.toLowerCase())).toBe(false)
  },
)
