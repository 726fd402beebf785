/** The series of one rollout in every environment. */
export const seriesOfAllEnvironments = (name: string, labels = '') =>
  `${name}{rollout="$rollout"${extraLabels(labels)}}`

/** A ratio rounded down to a tenth of a percent, so that only a complete ratio is 100%. */
export const roundDownRatio = (ratio: string) => `floor(1000 * ${ratio}) / 1000`

export const extraLabels = (labels: string) => (labels ? `,${labels}` : '')
