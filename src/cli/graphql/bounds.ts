/** How many bytes the body of a request to the endpoint may have. */
export const MAX_BODY = 1024 * 1024;

/** How many values the variables of one request may hold, lists, objects and what is in them, and how deep. */
export const VARIABLE_BOUNDS = { values: 1_000, depth: 20 };

/** How much one document may ask for. */
export interface DocumentBounds {
  /** Comments and commas are no tokens, and take time to read all the same. */
  characters: number;
  tokens: number;
  /** How deep its fields may be nested. */
  depth: number;
  /** How many of its fields may stand under an alias, or be named once more. */
  aliases: number;
}

export const DOCUMENT_BOUNDS: DocumentBounds = {
  characters: 64 * 1024,
  tokens: 2_000,
  depth: 20,
  aliases: 30,
};
