/** The series of one rollout in one environment, from every agent. */
export const rolloutSeries = (name: string, labels = '') =>
  `${name}{environment="$environment",rollout="$rollout"${extraLabels(labels)}}`

/** The series of one environment. */
export const environmentSeries = (name: string, labels = '') =>
  `${name}{environment="$environment"${extraLabels(labels)}}`

/** The series of one rollout in every environment. */
export const seriesOfAllEnvironments = (name: string, labels = '') =>
  `${name}{rollout="$rollout"${extraLabels(labels)}}`

/** A ratio rounded down to a tenth of a percent, so that only a complete ratio is 100%. */
export const roundDownRatio = (ratio: string) => `floor(1000 * ${ratio}) / 1000`

/** 0 while no agent of the environment can be scraped, otherwise no value. */
export const NO_AGENT_SCRAPED = 'max(up{job="sti-agent",environment="$environment"}) == 0'

const extraLabels = (labels: string) => (labels ? `,${labels}` : '')
