/** The series of one rollout in one environment, whichever agent of it was scraped. */
export const ofRollout = (name: string, labels = '') =>
  `${name}{environment="$environment",rollout="$rollout"${more(labels)}}`

/** The series of one environment. */
export const ofEnvironment = (name: string, labels = '') => `${name}{environment="$environment"${more(labels)}}`

/** The series of one rollout in every environment. */
export const everywhere = (name: string, labels = '') => `${name}{rollout="$rollout"${more(labels)}}`

/** A ratio rounded down to a tenth of a percent: 100 % only when it is all. */
export const down = (ratio: string) => `floor(1000 * ${ratio}) / 1000`

/** 0 while Prometheus asks every agent of the environment in vain, nothing otherwise. */
export const SILENT = 'max(up{job="sti-agent",environment="$environment"}) == 0'

const more = (labels: string) => (labels ? `,${labels}` : '')
