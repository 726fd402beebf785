/** The series of one rollout in one environment, whichever agent of it was scraped. */
export const rolloutSeries = (name: string, labels = '') =>
  `${name}{environment="$environment",rollout="$rollout"${extraLabels(labels)}}`

/** The series of one environment. */
export const environmentSeries = (name: string, labels = '') =>
  `${name}{environment="$environment"${extraLabels(labels)}}`

/** The series of one rollout in every environment. */
export const seriesOfAllEnvironments = (name: string, labels = '') =>
  `${name}{rollout="$rollout"${extraLabels(labels)}}`

/** A ratio rounded down to a tenth of a percent: 100 % only when it is all. */
export const roundDownRatio = (ratio: string) => `floor(1000 * ${ratio}) / 1000`

/** 0 while Prometheus asks every agent of the environment in vain, nothing otherwise. */
export const NO_AGENT_SCRAPED = 'max(up{job="sti-agent",environment="$environment"}) == 0'

const extraLabels = (labels: string) => (labels ? `,${labels}` : '')
