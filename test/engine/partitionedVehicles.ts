/** Vehicles in partitions of these sizes, by ranges of the ID; some of them may be empty. */
export function partitionedTable(sizes: readonly number[]): string {
  const bounds = sizes.map((_, index) => [index * 100_000, (index + 1) * 100_000] as const)
  return `
    create table public.vehicles (
      id bigint not null primary key, name text not null, is_truck boolean not null, is_bike boolean not null, axles integer
    ) partition by range (id);
    create index on public.vehicles (name);
    ${bounds.map(([from, to], index) => `create table ${partitionName(index)} partition of public.vehicles for values from (${from}) to (${to});`).join('\n')}
    ${sizes.map((rows, index) => insertIntoPartition(index, rows)).join('\n')}
    analyze public.vehicles`
}

export function partitionName(index: number): string {
  return `public.vehicles_${index}`
}

export function insertIntoPartition(index: number, rows: number, into = 'public.vehicles'): string {
  return `insert into ${into} (id, name, is_truck, is_bike) select ${index * 100_000} + n, 'vehicle ' || n, n % 10 < 3, n % 10 = 5 from generate_series(1, ${rows}) n;`
}

export function partitionNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => partitionName(index))
}
