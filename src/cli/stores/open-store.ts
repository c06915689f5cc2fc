/** What a setting names, as it was opened. */
export interface OpenStore<T> {
  store: T;
  /** Where the data lies, for people. */
  place: string;
  close(): Promise<void>;
}
