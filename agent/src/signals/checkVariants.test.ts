import { expect, test } from 'vitest'
import { unknownApiReadings } from './apiScraper.ts'
import { checkReadVariants, checkVariants } from './checkVariants.ts'
import { startHistogramApplication } from './testing/histogramApplication.ts'
import { waitFor } from '../../../test/support/waitFor.ts'

const NAME = 'http_request_duration_seconds'

test('a check says which variants the application exports, and what to do without the label', async () => {
  const application = await startHistogramApplication({ variants: true })
  const source = { url: application.url, name: NAME, errors: {}, variant: 'feature_flag_result_variant' }
  try {
    const both = await waitFor('requests of both variants', async () => {
      const check = await checkVariants({ histogram: source }, null)
      return check?.sentence.includes('both') && check
    })
    expect(both).toEqual({
      found: true,
      sentence: `${NAME} has requests of both variants (label feature_flag_result_variant).`,
    })
    expect(await checkVariants({ histogram: { ...source, variant: 'variant' } }, null)).toEqual({
      found: true,
      sentence: `${NAME} has no label variant with the values on and off, so that steps of the flag are judged by the baseline. Export the label (docs/flag.md).`,
    })
    expect(await checkVariants({ histogram: { ...source, name: 'other_seconds' } }, null)).toMatchObject({
      found: false,
      sentence: expect.stringMatching(/has no histogram other_seconds yet\.$/) as string,
    })
  } finally {
    await application.stop()
  }
  expect(await checkVariants({ histogram: source }, null)).toMatchObject({
    found: false,
    sentence: expect.stringMatching(
      /^The application cannot be read: http.*: .+ \((ECONNREFUSED|UND_ERR_SOCKET)\)\.$/,
    ) as string,
  })
})

test.each([
  [['on', 'off'], /has requests of both variants/],
  [['off'], /has requests of the variant off only .* the other one appears once the flag is on/],
  [[], /has no label .* so that steps of the flag are judged by the baseline/],
] as const)('the readings in memory say the same: %j', (variants, sentence) => {
  const histogram = { url: 'http://app/metrics', name: NAME, errors: {}, variant: 'variant' }
  const readings = { ...unknownApiReadings('HTTP 503'), variants: new Set(variants) }
  expect(checkReadVariants({ histogram }, { ...readings, requestRate: { value: 0, at: 1 } })).toMatchObject({
    found: true,
    sentence: expect.stringMatching(sentence) as string,
  })
  expect(checkReadVariants({ histogram }, readings)).toEqual({
    found: false,
    sentence: 'The application cannot be read: HTTP 503.',
  })
})
