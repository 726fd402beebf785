/** A vehicle as the API shows it, whichever columns it was read by. */
export interface Vehicle {
  id: number
  vin: string
  name: string
  kind: Kind
  isTruck: boolean
  isBike: boolean
  axles: number
  ownerEmail: string
  price: number
}

export const kinds = ['truck', 'bike', 'car'] as const
export type Kind = (typeof kinds)[number]

export interface VehicleInput {
  vin: string
  name: string
  isTruck: boolean
  isBike: boolean
  axles: number
  ownerEmail: string
  price: number
}

export const isKind = (text: string | undefined): text is Kind => kinds.some((kind) => kind === text)

/** What the legacy columns say. Truck wins where both are set, as it always did in this service. */
export const legacyKind = (row: { isTruck: boolean; isBike: boolean }): Kind =>
  row.isTruck ? 'truck' : row.isBike ? 'bike' : 'car'
