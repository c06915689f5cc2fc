/** A copy that its owner may change, of plain data. Most of it is empty, and structuredClone costs 0.7 µs even then. */
export function copyOf<T extends object>(data: T): T {
  for (const _ in data) return structuredClone(data);
  return {} as T;
}
