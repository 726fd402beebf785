/** One question of a proof. */
export interface ProofCheck {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}
