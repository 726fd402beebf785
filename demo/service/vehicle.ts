/** A vehicle as the API shows it, whichever columns it was read by. */
export interface Vehicle {
  id: number
  vin: string
  name: string
  kind: VehicleKind
  isTruck: boolean
  isBike: boolean
  axles: number
  ownerEmail: string
  price: number
}

export const VEHICLE_KINDS = ['truck', 'bike', 'car'] as const
export type VehicleKind = (typeof VEHICLE_KINDS)[number]

export interface VehicleInput {
  vin: string
  name: string
  isTruck: boolean
  isBike: boolean
  axles: number
  ownerEmail: string
  price: number
}

export const isVehicleKind = (text: string | undefined): text is VehicleKind =>
  VEHICLE_KINDS.some((kind) => kind === text)

/** What the legacy columns say. Truck wins where both are set, as it always did in this service. */
export const legacyKind = (row: { isTruck: boolean; isBike: boolean }): VehicleKind =>
  row.isTruck ? 'truck' : row.isBike ? 'bike' : 'car'
