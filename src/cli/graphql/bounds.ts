/** How many bytes the body of a request to the endpoint may have. */
export const MAX_BODY = 1024 * 1024;

/** How much one document may ask for. */
export interface DocumentBounds {
  tokens: number;
  /** How deep its fields may be nested. */
  depth: number;
  /** How many of its fields may stand under an alias, or be named once more. */
  aliases: number;
}

export const DOCUMENT_BOUNDS: DocumentBounds = { tokens: 2_000, depth: 20, aliases: 30 };
