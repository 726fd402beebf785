/** One question of a proof. */
export interface TrialCheck {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}
