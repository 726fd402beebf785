/** A vehicle as the API returns it. `kind` comes from the columns that the request used. */
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

/** The kind by the legacy columns. A row with both set is a truck. */
export const legacyKind = (row: { isTruck: boolean; isBike: boolean }): VehicleKind =>
  row.isTruck ? 'truck' : row.isBike ? 'bike' : 'car'
